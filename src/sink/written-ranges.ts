import type { CommittedOffset, TopicPartition } from '../clients/broker.ts';
import { StreamsError } from '../common/errors.ts';
import { decodeNote } from './commit-note.ts';
import type { FileNames } from './file-names.ts';
import type { SinkTarget } from './target.ts';

/**
 * How far the visible files of a target go, by partition: who would write before that writes records a second time, or leaves out those whose files have names that are taken. So it is
 * where the group's positions have expired (brokers forget those of a group that was away for seven days), were set back, or belong to another group, and where the topic was made anew.
 */
export class WrittenRanges {
  readonly #url: string;
  /** Offset of the last record in a file, by partition. */
  readonly #last: ReadonlyMap<number, number>;

  private constructor(url: string, last: ReadonlyMap<number, number>) {
    this.#url = url;
    this.#last = last;
  }

  static async of(target: SinkTarget, names: FileNames): Promise<WrittenRanges> {
    const ends = new Map<number, number>();
    for (const { path } of await target.list('')) {
      const range = names.rangeOf(path);
      if (range === undefined) continue;
      ends.set(range.partition, Math.max(range.last, ends.get(range.partition) ?? -1));
    }
    return new WrittenRanges(target.url, ends);
  }

  /**
   * Refuses a position that lies before the end of what is written. A range that its note says is becoming visible may be.
   *
   * @param committed - The group's position; undefined where it has none.
   * @throws StreamsError `STREAMS_INPUT_REFUSED`
   */
  refuseBefore({ topic, partition }: TopicPartition, committed: CommittedOffset | undefined, groupId: string): void {
    const last = this.#last.get(partition);
    if (last === undefined) return;
    const note = committed === undefined ? undefined : decodeNote(committed.metadata);
    const covered = note === undefined ? (committed?.offset ?? 0) - 1 : note.last;
    if (last <= covered) return;
    const position = committed === undefined ? 'no position' : `the position ${committed.offset}`;
    throw new StreamsError(
      'STREAMS_INPUT_REFUSED',
      `${this.#url} has files of ${topic}-${partition} up to record ${last}, and group ${groupId} has ${position}: going on would write records twice. If the topic is still the one that they are of, set the position to ${last + 1} (kafka-consumer-groups --group ${groupId} --topic ${topic}:${partition} --reset-offsets --to-offset ${last + 1} --execute); if it was made anew, or all of it is to be written again, name another folder, or move the files away.`,
      { topic, partition, offset: last + 1 },
    );
  }
}
