import { isAbsent } from '../common/absent.ts';
import { partitionOf } from '../common/bytes.ts';
import type { Serde } from '../serde/serde.ts';
import type { FileDialect, FileSelection } from './file-dialect.ts';
import type { DeadReason, DecodedRow, RowFormat, RowView } from './row-format.ts';

/** A row as a message of a topic. Immutable. */
export interface RowMessage {
  readonly partition: number;
  /** Event time, ms: never negative, which no broker would take. */
  readonly timestamp: number;
  /** Undefined: without a key. */
  readonly key: Uint8Array | undefined;
  readonly value: Uint8Array;
}

/** How rows become messages. */
export interface MessageFormatOptions<K, V> {
  /** Judges rows, and says what their columns, keys and times are. */
  readonly format: RowFormat<K, V>;
  readonly keySerde: Serde<K>;
  /** Writes the values; undefined: a value is the row itself, as {@link MessageFormat} says. */
  readonly valueSerde: Serde<V> | undefined;
  /** Of the topic. */
  readonly partitions: number;
  /** Bytes of a record batch that the topic takes. A row that does not fit is bad: `too-long`. @defaultValue no limit */
  readonly maxMessageBytes?: number;
}

const lf = 10;
const cr = 13;
const quote = 34;
const comma = 44;

/** Memory for keys and values is taken in pieces of this size, bytes. */
const chunkBytes = 1 << 18;
/** Keys of so many bytes are written in place. */
const keyBytes = 256;
/** What a batch adds to the key and the value of its only record, at most. */
const batchOverhead = 128;

/**
 * Rows of CSV files as messages: judged as `format` judges them, and placed in a partition by their key as Kafka's clients do (murmur2).
 *
 * Without `valueSerde` the value is the row: the fields of the format's columns, as they stand in the file, in the format's order, with commas between and no line
 * end; a field that holds a comma, a quote or a line end stands in quotes, with its own quotes doubled. `8,"a ""b""",x` of columns `n,text,more` with a
 * format of `text,n` is `"a ""b""",8`.
 *
 * A row whose time lies before 1970 cannot be a message's: it is bad, `invalid_timestamp`, as it is where the files are replayed.
 */
export class MessageFormat<K, V> implements RowFormat<Uint8Array | undefined, RowMessage> {
  readonly columns: readonly string[];
  readonly optional?: readonly string[];
  readonly dialect?: FileDialect;
  readonly files?: FileSelection;
  readonly records?: () => readonly DecodedRow<Uint8Array | undefined, RowMessage>[];
  #messages: DecodedRow<Uint8Array | undefined, RowMessage>[] = [];
  readonly #options: MessageFormatOptions<K, V>;
  readonly #maxBytes: number;
  readonly #out: DecodedRow<K, V> = { key: undefined as K, value: undefined as V };
  #chunk: Buffer = Buffer.alloc(0);
  #at = 0;

  constructor(options: MessageFormatOptions<K, V>) {
    this.#options = options;
    const { columns, optional, dialect, files } = options.format;
    this.columns = columns;
    if (optional !== undefined) this.optional = optional;
    if (dialect !== undefined) this.dialect = dialect;
    if (files !== undefined) this.files = files;
    if (options.format.records !== undefined) {
      if (options.valueSerde === undefined)
        throw new TypeError('a row that is several records is not the message of each');
      this.records = () => this.#messages;
    }
    this.#maxBytes = (options.maxMessageBytes ?? Number.POSITIVE_INFINITY) - batchOverhead;
  }

  timestampOf(message: RowMessage): number {
    return message.timestamp;
  }

  decode(row: RowView, out: DecodedRow<Uint8Array | undefined, RowMessage>): DeadReason | undefined {
    const { format } = this.#options;
    const decoded = this.#out;
    const reason = format.decode(row, decoded);
    if (reason !== undefined) return reason;
    if (format.records === undefined) return this.#message(row, decoded, out);
    this.#messages = [];
    for (const record of format.records()) {
      const message = { key: undefined as Uint8Array | undefined, value: undefined as unknown as RowMessage };
      const fault = this.#message(row, record, message);
      if (fault !== undefined) return fault;
      this.#messages.push(message);
    }
    return undefined;
  }

  #message(
    row: RowView,
    decoded: DecodedRow<K, V>,
    out: DecodedRow<Uint8Array | undefined, RowMessage>,
  ): DeadReason | undefined {
    const { format, valueSerde, partitions } = this.#options;
    const timestamp = format.timestampOf(decoded.value);
    if (!(Number.isSafeInteger(timestamp) && timestamp >= 0)) return 'invalid_timestamp';
    const key = this.#key(decoded.key);
    const value = valueSerde === undefined ? this.#row(row) : valueSerde.serialize(decoded.value);
    if ((key?.length ?? 0) + value.length > this.#maxBytes) return 'too-long';
    const partition = partitions === 1 || key === undefined ? 0 : partitionOf(key, partitions);
    out.key = key;
    out.value = { partition, timestamp, key, value };
    return undefined;
  }

  #key(key: K): Uint8Array | undefined {
    if (isAbsent(key)) return undefined;
    const { keySerde } = this.#options;
    if (keySerde.write === undefined) return keySerde.serialize(key);
    const chunk = this.#room(keyBytes);
    const start = this.#at;
    const end = keySerde.write(key, chunk, start);
    return end < 0 ? keySerde.serialize(key) : this.#take(end);
  }

  #row({ bytes, starts, ends }: RowView): Uint8Array {
    const fields = this.columns.length;
    let most = 3 * fields;
    for (let i = 0; i < fields; i++) most += 2 * (ends[i]! - starts[i]!);
    const chunk = this.#room(most);
    let to = this.#at;
    for (let i = 0; i < fields; i++) {
      if (i > 0) chunk[to++] = comma;
      const start = to;
      const end = ends[i]!;
      for (let from = starts[i]!; from < end; from++) {
        const byte = bytes[from]!;
        if (byte <= comma && (byte === comma || byte === quote || byte === lf || byte === cr)) {
          to = quoted(bytes, starts[i]!, end, chunk, start);
          break;
        }
        chunk[to++] = byte;
      }
    }
    return this.#take(to);
  }

  /** A chunk with this much room behind `#at`. One that is full is left to the messages in it. */
  #room(bytes: number): Buffer {
    if (this.#at + bytes > this.#chunk.length) {
      this.#chunk = Buffer.allocUnsafeSlow(Math.max(chunkBytes, bytes));
      this.#at = 0;
    }
    return this.#chunk;
  }

  #take(end: number): Uint8Array {
    const bytes = this.#chunk.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }
}

/** Writes a field in quotes; returns the position after it. */
function quoted(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): number {
  let next = at;
  to[next++] = quote;
  for (let i = start; i < end; i++) {
    const byte = from[i]!;
    if (byte === quote) to[next++] = quote;
    to[next++] = byte;
  }
  to[next++] = quote;
  return next;
}
