import { createHash } from 'node:crypto';

/** Bytes of a topic's name and of its id in a mark. */
const nameBytes = 4;
const idBytes = 5;
/** Letters of a mark as text. */
export const markLength = 12;

/**
 * Which topics somebody was at work with: 12 letters for each, so that they find room beside a position. Of a topic they tell whether it was among them, and whether it had the id that it
 * has now.
 *
 * Two topics look alike once in 2^32 pairs, two ids once in 2^40.
 */
export class TopicMarks {
  readonly #ids = new Map<string, string>();

  /** @param text - what {@link marksOf} gave */
  constructor(text: string) {
    const bytes = Buffer.from(text, 'base64');
    for (let at = 0; at + nameBytes + idBytes <= bytes.length; at += nameBytes + idBytes)
      this.#ids.set(
        bytes.toString('latin1', at, at + nameBytes),
        bytes.toString('latin1', at + nameBytes, at + nameBytes + idBytes),
      );
  }

  /** Whether a topic of this name was among them. */
  has(topic: string): boolean {
    return this.#ids.has(digest(topic, nameBytes));
  }

  /** Whether the topic of this name was another one: it has another id. */
  differs(topic: string, id: string): boolean {
    const known = this.#ids.get(digest(topic, nameBytes));
    return known !== undefined && known !== digest(id, idBytes);
  }
}

/** The marks of topics, in the order given: a text that may be cut behind each mark. */
export function marksOf(topics: readonly string[], ids: ReadonlyMap<string, string>): string {
  const there = topics.filter((topic) => ids.has(topic));
  const marks = there.map((topic) => digest(topic, nameBytes) + digest(ids.get(topic)!, idBytes));
  return Buffer.from(marks.join(''), 'latin1').toString('base64');
}

function digest(text: string, bytes: number): string {
  return createHash('sha256').update(text).digest().toString('latin1', 0, bytes);
}
