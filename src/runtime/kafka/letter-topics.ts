import type { BrokerProducer } from '../../clients/broker.ts';
import type { FetchedRecords } from '../../clients/fetched-records.ts';
import { utf8 } from '../../common/bytes.ts';
import type { Drop, DropReason } from '../../processor/drop-reason.ts';
import type { Header } from '../../processor/record.ts';
import { shownText } from '../letter-sample.ts';
import type { OutputCounts } from './output-counts.ts';

/** A topic for records that were not processed. */
export interface LetterTopic {
  readonly topic: string;
  readonly partitions: number;
  /** Bytes of a batch that it takes: a letter that would be larger goes without its value. */
  readonly maxBytes: number;
}

/** Where letters go; without a topic they are only counted. */
export interface LetterTopics {
  readonly dead: LetterTopic | undefined;
  readonly late: LetterTopic | undefined;
}

/** Letters that wait for their commit, by reason. */
export type WaitingLetters = ReadonlyMap<DropReason, number>;

const codes = {
  late: 'LATE',
  future: 'FUTURE',
  invalid_timestamp: 'INVALID_TIMESTAMP',
  null_key: 'NULL_KEY',
  deserialization: 'STREAMS_DESERIALIZATION',
  processing: 'STREAMS_PROCESSING',
} as const satisfies Readonly<Record<DropReason, string>>;

/**
 * Headers that a letter has beside the record's own. Kafka Streams' dead letter queue (KIP-1034) uses the same prefix.
 *
 * `__streams.errors.code`, `.message`, `.topic`, `.partition`, `.offset`, `.node`: UTF-8 text. A letter whose value the topic does not take has `.omitted` instead of it: its bytes, as a
 * decimal.
 */
export const letterPrefix = '__streams.errors.';

/** Writes records that were not processed, with key, value, time and headers as they came, in the transaction of the task that read them. */
export class LetterWriter {
  readonly #topics: LetterTopics;
  readonly #producer: BrokerProducer;
  readonly #outputs: OutputCounts;
  #waiting = new Map<DropReason, number>();

  constructor(topics: LetterTopics, producer: BrokerProducer, outputs: OutputCounts) {
    this.#topics = topics;
    this.#outputs = outputs;
    this.#producer = producer;
  }

  /** The letters of a commit that is about to be made: those after them belong to the next. */
  takeWaiting(): WaitingLetters {
    const waiting = this.#waiting;
    this.#waiting = new Map();
    return waiting;
  }

  /** Their commit was made. */
  committed(letters: WaitingLetters): void {
    for (const [reason, count] of letters) this.#outputs.addLetters(reason, count);
  }

  /** A record goes to the topic of the late ones for `late`, else to that of the dead ones. */
  send(records: FetchedRecords, i: number, { reason, message, nodeName, code }: Drop): void {
    this.#waiting.set(reason, (this.#waiting.get(reason) ?? 0) + 1);
    this.#sample(records, i, { reason, message });
    const target = reason === 'late' ? this.#topics.late : this.#topics.dead;
    if (target === undefined) return;
    const { topic, partition, offsets, timestamps, bytes, keyStarts, keyEnds, valueStarts, valueEnds } = records;
    const about: [string, string | undefined][] = [
      ['code', code ?? codes[reason]],
      ['message', message.slice(0, 1000)],
      ['topic', topic],
      ['partition', String(partition)],
      ['offset', String(offsets[i])],
      ['node', nodeName],
    ];
    const key = keyStarts[i]! < 0 ? undefined : bytes.subarray(keyStarts[i]!, keyEnds[i]!);
    let value = valueStarts[i]! < 0 ? undefined : bytes.subarray(valueStarts[i]!, valueEnds[i]!);
    const own = records.headers(i);
    if (value !== undefined && sizeOf(key, own) + value.length + aboutBytes > target.maxBytes) {
      about.push(['omitted', String(value.length)]);
      value = undefined;
    }
    const headers: Header[] = about.flatMap(([name, text]) =>
      text === undefined ? [] : [{ key: letterPrefix + name, value: utf8(text) }],
    );
    const count = this.#outputs.of(target.topic);
    count.records++;
    count.bytes += (key?.length ?? 0) + (value?.length ?? 0);
    const timestamp = Math.max(0, timestamps[i]!);
    this.#producer.append(target.topic, partition % target.partitions, timestamp, key, value, [...own, ...headers]);
  }

  #sample(records: FetchedRecords, i: number, { reason, message }: Pick<Drop, 'reason' | 'message'>): void {
    const { topic, partition, offsets, bytes, keyStarts, keyEnds, valueStarts, valueEnds } = records;
    const key = keyStarts[i]! < 0 ? undefined : shownText(bytes.subarray(keyStarts[i]!, keyEnds[i]!));
    const value = valueStarts[i]! < 0 ? undefined : bytes.subarray(valueStarts[i]!, valueEnds[i]!);
    const about = { topic, partition, offset: Number(offsets[i]!), ...(key !== undefined && { key }) };
    this.#outputs.samples.add({ kind: reason === 'late' ? 'late' : 'dead', reason, message, ...about }, value);
  }
}

/** Bytes that a letter's own headers, its batch and its record have at most; names of topics and nodes are short. */
const aboutBytes = 8 * 1024;

function sizeOf(key: Uint8Array | undefined, headers: readonly Header[]): number {
  const of = ({ key: name, value }: Header): number => 10 + 3 * name.length + (value?.length ?? 0);
  return (key?.length ?? 0) + headers.reduce((sum, header) => sum + of(header), 0);
}
