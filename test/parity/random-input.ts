import type { ParityInput } from './load-scenarios.ts';

/** A deterministic source of random choices: the same seed gives the same sequence on every machine. */
export class Random {
  #state: number;

  /** @param seed - Any text. Its FNV-1a hash starts the sequence. */
  constructor(seed: string) {
    let hash = 0x811c9dc5;
    for (const byte of new TextEncoder().encode(seed)) hash = Math.imul(hash ^ byte, 0x01000193);
    this.#state = hash >>> 0;
  }

  /** An integer of `[0, below)`. A Weyl sequence through two rounds of xor, shift and multiply. */
  below(below: number): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) % below;
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  of<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }
}

/** Event time: a clock that goes on by 0 to `step` ms before each record, and records that stay behind it. */
export interface Timeline {
  /** Where the clock starts, ms. */
  readonly start?: number;
  readonly step: number;
  /** Share of records that are older than the clock, percent. */
  readonly latePercent?: number;
  /** How much older, at most, ms. */
  readonly lateMs?: number;
}

/** What the records of one topic are made of. */
export interface TopicInput {
  /** How many of ten records, over all topics, are of this one. */
  readonly weight?: number;
  readonly keys: readonly string[];
  readonly values: readonly string[];
  readonly nullKeyPercent?: number;
  readonly nullValuePercent?: number;
}

/** `count` records of these topics along the timeline. */
export function randomInput(
  random: Random,
  count: number,
  time: Timeline,
  topics: Readonly<Record<string, TopicInput>>,
): ParityInput[] {
  const names = Object.entries(topics).flatMap(([name, topic]) => new Array<string>(topic.weight ?? 1).fill(name));
  const records: ParityInput[] = [];
  let clock = time.start ?? 0;
  for (let i = 0; i < count; i++) {
    clock += random.below(time.step + 1);
    const late = random.chance(time.latePercent ?? 0) ? 1 + random.below(time.lateMs ?? 1) : 0;
    const topic = random.of(names);
    const made = topics[topic] as TopicInput;
    const key = random.chance(made.nullKeyPercent ?? 0) ? null : random.of(made.keys);
    const value = random.chance(made.nullValuePercent ?? 0) ? null : random.of(made.values);
    records.push({ topic, key, value, timestamp: Math.max(0, clock - late) });
  }
  return records;
}

/** Records written by hand, one a line: `topic key value @timestamp`; `null` is null. */
export function writtenInput(text: string): ParityInput[] {
  const lines = text.split('\n').map((line) => line.trim());
  return lines
    .filter((line) => line !== '')
    .map((line) => {
      const [, topic, key, value, timestamp] = /^(\S+) (\S+) (.+) @(\d+)$/.exec(line) ?? [];
      if (topic === undefined || key === undefined || value === undefined) throw new TypeError(`no record: ${line}`);
      return {
        topic,
        key: key === 'null' ? null : key,
        value: value === 'null' ? null : value,
        timestamp: Number(timestamp),
      };
    });
}
