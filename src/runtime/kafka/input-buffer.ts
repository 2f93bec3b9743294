import type { PartitionOffset } from '../../clients/broker.ts';
import type { FetchedRecords } from '../../clients/fetched-records.ts';
import { messageOf, StreamsError } from '../../common/errors.ts';
import { type Drop, worseFate } from '../../processor/drop-reason.ts';
import type { Serde } from '../../serde/serde.ts';
import { askHandler } from '../record-failure.ts';
import type { RecordQueue } from '../record-source.ts';
import type { Task, TaskSource } from '../task.ts';
import { rememberingKeys } from './key-memo.ts';
import type { LetterWriter } from './letter-topics.ts';

/** Reads a value out of the middle of bytes. */
export type RangeReader = (bytes: Buffer, start: number, end: number) => unknown;

/** A serde's reader of ranges: without a view for each value where the serde can do without. */
export function rangeReader(serde: Serde<unknown>): RangeReader {
  const { read } = serde;
  if (read !== undefined) return (bytes, start, end) => read.call(serde, bytes, start, end);
  return (bytes, start, end) => serde.deserialize(bytes.subarray(start, end));
}

/** What becomes of records that fail. */
export interface RecordHandlers {
  readonly deserialization: (error: StreamsError) => 'continue' | 'fail';
  readonly processing: (error: StreamsError) => 'continue' | 'fail';
}

/** Where the records of an input go. */
export interface InputReader {
  readonly task: Task;
  readonly source: TaskSource;
  readonly valueSerde: Serde<unknown>;
  readonly letters: LetterWriter;
  readonly handlers: RecordHandlers;
  readonly maxFutureMs: number;
  /** Records waiting above which no more are fetched. */
  readonly mostBuffered: number;
}

/** Fetching of an input, held up while enough waits. */
export interface InputFlow {
  pause(input: PartitionOffset): void;
  resume(input: PartitionOffset): void;
}

/** Records of one input partition of a task, fetched and not yet processed: read out of the bytes when they are taken. */
export class InputBuffer implements RecordQueue {
  readonly topic: string;
  readonly partition: number;
  /** The next record is `records[at]` of the first chunk. */
  at = 0;
  end = 0;
  /** Where fetching stands. */
  nextOffset: number;
  /** The partition's stable end as of the last fetch, or as the brokers have said while it is held up; -1 before the first. */
  stableEnd = -1;
  /** Why there is nothing to read behind what is buffered. */
  failure: StreamsError | undefined;
  /** Records processed since the task was taken. */
  consumed = 0;
  /** When it was first seen empty, ms; undefined while it has records. */
  emptySinceMs: number | undefined;
  headMs: number = Number.NaN;
  /** Who fetches it. */
  flow: InputFlow | undefined;
  readonly #reader: InputReader;
  readonly #readKey: RangeReader;
  readonly #readValue: RangeReader;
  #chunks: FetchedRecords[] = [];
  #buffered = 0;
  /** How much of the first chunk is accepted. */
  #accepted = 0;
  #paused = false;
  /** The record that was read last, to tell its time: it is taken as it was read. */
  #readAt = -1;
  #key: unknown;
  #value: unknown;
  /** Why a record gets a letter: one, whatever else happens to it. */
  #fate: { readonly at: number; readonly drop: Drop } | undefined;

  /** @param from - Where its records are, and the first to read. */
  constructor(reader: InputReader, from: PartitionOffset) {
    this.topic = from.topic;
    this.partition = from.partition;
    this.nextOffset = from.offset;
    this.#reader = reader;
    this.#readKey = rememberingKeys(rangeReader(reader.source.spec.keySerde));
    this.#readValue = rangeReader(reader.valueSerde);
  }

  /** The source of the topology that it feeds. */
  get source(): TaskSource {
    return this.#reader.source;
  }

  /** Takes what was fetched. */
  push(records: FetchedRecords): void {
    this.nextOffset = records.nextOffset;
    this.stableEnd = records.stableEnd;
    if (records.length === 0) return;
    this.#chunks.push(records);
    this.#buffered += records.length;
    this.end = this.#chunks[0]!.length;
    this.emptySinceMs = undefined;
    if (this.#paused || this.#buffered <= this.#reader.mostBuffered) return;
    this.#paused = true;
    this.flow?.pause({ topic: this.topic, partition: this.partition, offset: this.nextOffset });
  }

  timeOfHead(): number {
    const records = this.#chunks[0]!;
    const { at } = this;
    this.#read(records, at);
    const { task, source, maxFutureMs } = this.#reader;
    task.headersFrom(records, at);
    const { timestamps, offsets } = records;
    return task.timeOf(source, this.#key, this.#value, timestamps[at]!, offsets[at]!, maxFutureMs);
  }

  take(): void {
    const records = this.#chunks[0]!;
    const { at } = this;
    const { task, source, maxFutureMs } = this.#reader;
    if (this.#readAt !== at)
      try {
        this.#read(records, at);
      } catch (error) {
        this.#unreadable(error);
        return;
      }
    this.#readAt = -1;
    task.headersFrom(records, at);
    task.process(source, this.#key, this.#value, records.timestamps[at]!, records.offsets[at]!, maxFutureMs);
  }

  failed(error: unknown): void {
    const { task, handlers } = this.#reader;
    const { topic, partition } = this;
    const offset = this.#offset;
    const failure = askHandler(
      error,
      `record ${offset} of ${topic} (partition ${partition})`,
      { topic, partition, offset, taskId: task.taskId },
      handlers.processing,
    );
    task.stats.dropped.processing++;
    const { code, message, details } = failure;
    this.dropped({ reason: 'processing', code, message, nodeName: details.nodeName });
  }

  dropped(drop: Drop): void {
    const { reason, message, nodeName } = drop;
    if (reason === 'future' || reason === 'invalid_timestamp') this.#refused(`is refused: ${message}`, nodeName);
    if (this.#fate !== undefined && this.#fate.at !== this.at) this.#tell();
    this.#fate = { at: this.at, drop: worseFate(this.#fate?.drop, drop) };
  }

  /** Passes records up to `at`. */
  accept(): void {
    if (this.#fate !== undefined && this.#fate.at < this.at) this.#tell();
    const passed = this.at - this.#accepted;
    this.consumed += passed;
    this.#buffered -= passed;
    this.#accepted = this.at;
    this.headMs = Number.NaN;
    if (this.at >= this.end) {
      this.#chunks.shift();
      this.#accepted = 0;
      this.#readAt = -1;
      this.at = 0;
      this.end = this.#chunks[0]?.length ?? 0;
    }
    if (!this.#paused || this.#buffered > this.#reader.mostBuffered) return;
    this.#paused = false;
    this.flow?.resume({ topic: this.topic, partition: this.partition, offset: this.nextOffset });
  }

  /** Whether no more is fetched, since enough waits: fetches tell nothing of its end then. */
  get isHeldUp(): boolean {
    return this.#paused;
  }

  /** Records waiting. */
  get buffered(): number {
    return this.#buffered;
  }

  /** Where to go on after a restart: the next record to process, or, with none waiting, where fetching stands. */
  get position(): number {
    return this.at < this.end ? this.#offset : this.nextOffset;
  }

  /** Records between the position and the stable end; -1 if that is not known yet. */
  get lag(): number {
    return this.stableEnd < 0 ? -1 : Math.max(0, this.stableEnd - this.position);
  }

  get #offset(): number {
    return this.#chunks[0]!.offsets[this.at]!;
  }

  #read({ bytes, keyStarts, keyEnds, valueStarts, valueEnds }: FetchedRecords, i: number): void {
    const keyStart = keyStarts[i]!;
    const valueStart = valueStarts[i]!;
    this.#readAt = -1;
    this.#key = keyStart < 0 ? undefined : this.#readKey(bytes, keyStart, keyEnds[i]!);
    this.#value = valueStart < 0 ? undefined : this.#readValue(bytes, valueStart, valueEnds[i]!);
    if (this.source.spec.complete === true && (keyStart < 0 || valueStart < 0))
      throw new Error(`it has no ${keyStart < 0 ? 'key' : 'value'}`);
    this.#readAt = i;
  }

  #unreadable(cause: unknown): void {
    const { name } = this.source.spec;
    const message = this.#refused(`cannot be read: ${messageOf(cause)}`, name, cause);
    this.#reader.task.stats.dropped.deserialization++;
    // Letters come in the order of their records.
    if (this.#fate !== undefined) this.#tell();
    this.#reader.letters.send(this.#chunks[0]!, this.at, { reason: 'deserialization', message, nodeName: name });
  }

  /** Asks what becomes of a record that no task can take; returns what is wrong with it. */
  #refused(what: string, nodeName: string | undefined, cause?: unknown): string {
    const { topic, partition } = this;
    const { task, handlers } = this.#reader;
    const offset = this.#offset;
    const error = new StreamsError(
      'STREAMS_DESERIALIZATION',
      `record ${offset} of ${topic} (partition ${partition}) ${what}.`,
      {
        topic,
        partition,
        offset,
        taskId: task.taskId,
        ...(nodeName !== undefined && { nodeName }),
        ...(cause !== undefined && { cause }),
      },
    );
    if (handlers.deserialization(error) === 'fail') throw error;
    return error.message;
  }

  /** Writes the letter of a record that was not processed, or not wholly. */
  #tell(): void {
    const { at, drop } = this.#fate!;
    this.#fate = undefined;
    this.#reader.letters.send(this.#chunks[0]!, at, drop);
  }
}
