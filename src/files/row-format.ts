import { formatOption } from '../common/remedies.ts';
import type { FileDialect, FileSelection } from './file-dialect.ts';

/**
 * One row of a CSV file, its fields as byte ranges in a buffer, in the order of {@link RowFormat.columns}.
 *
 * The scanner reuses one instance for all rows: read it at once, keep nothing of it. Field `i` is `bytes[starts[i] .. ends[i])`, unquoted.
 */
export interface RowView {
  readonly bytes: Uint8Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** The file that it stands in. Undefined: it is from no file. */
  readonly file?: RowFile | undefined;
}

/** What is known of a file beside its rows. */
export interface RowFile {
  /** Its path in the topic's folder, without `.gz`. */
  readonly name: string;
  /** The lines before its header, as many as the dialect's `skipLines` says. */
  readonly preamble: readonly string[];
}

/** Why a row goes to the dead letters: a closed list. */
export const deadReasons = [
  'columns',
  'date',
  'event-type',
  'equipment-type',
  'id',
  'utf8',
  'future',
  'too-long',
  'quote',
  'json',
  'processing',
  'deserialization',
  'invalid_timestamp',
  'null_key',
  'value',
] as const;
/** One of {@link deadReasons}. */
export type DeadReason = (typeof deadReasons)[number];

/** What letters say of a row where there is no more to say than the reason. */
export const deadReasonTexts: Readonly<Record<DeadReason, string>> = {
  columns: 'the row does not have the fields of its header',
  date: 'a time is missing, in another form, or no time of the calendar',
  'event-type': 'the type of the event is unknown',
  'equipment-type': 'the type of the equipment is not the one that the type of the event has',
  id: 'an id is not a number of the form that ids have',
  utf8: `the row is not UTF-8: where the file is not, its encoding belongs in the format (${formatOption})`,
  future: 'its event time lies too far after its arrival',
  'too-long': 'the row is too long',
  quote: 'the quotes of the row do not match',
  json: 'the line is not a JSON object',
  processing: 'its processing failed',
  deserialization: 'it cannot be read',
  invalid_timestamp: 'its event time is not a whole number of ms since 1970-01-01T00:00Z',
  null_key: 'it lacks a key or a value',
  value: 'a field does not hold what it should',
};

/** A row as the topology reads it. One instance is filled again and again by {@link RowFormat.decode}. */
export interface DecodedRow<K, V> {
  key: K;
  value: V;
}

/**
 * How rows of a folder's files become records of a topic.
 *
 * `decode` fills `out` and returns undefined, or returns the reason why the row is bad. It is called once a row, in file order, and must be
 * synchronous and fast: no Date, regex or JSON. It is also asked about lines inside a quoted field (is this a row by itself?) and about a cut last
 * line, so it may remember what it likes, but must not count. Key and value are new objects or shared immutable ones; they outlive the call.
 */
export interface RowFormat<K, V> {
  /** Names of the columns that must stand in the header, in the order in which `decode` sees them. */
  readonly columns: readonly string[];
  /** Columns that a line of JSON may lack: they are empty then. @defaultValue none */
  readonly optional?: readonly string[];
  /** How the files are written. @defaultValue comma-separated UTF-8 with a header, which is read fastest */
  readonly dialect?: FileDialect;
  /** Which files are read. @defaultValue `*.csv` and `*.csv.gz` */
  readonly files?: FileSelection;
  /**
   * All records of the row that `decode` took last, for rows that may be several or none; the same ones each time a row is decoded. A row of none is skipped.
   *
   * @defaultValue each row is one record
   */
  records?(): readonly DecodedRow<K, V>[];
  /** Judges a row and fills `out`, or says why the row is bad. */
  decode(row: RowView, out: DecodedRow<K, V>): DeadReason | undefined;
  /** Event time of a decoded value, ms since the epoch: what `--from` and `--to` are held against. */
  timestampOf(value: V): number;
}

/** Why a row is bad: one of {@link deadReasons}, or a word of the format's own. */
export type BadRowReason = DeadReason | (string & {});

/**
 * Thrown by {@link RowFormat.decode}, or by a function that it calls: the row is bad, for a reason of the format's own. The reason stands in the row's letter
 * and is counted by; the message says more, as of the row at hand.
 *
 * @example
 * ```ts
 * import { BadRow } from 'weir-streams';
 *
 * const tariff = 'HX';
 * if (tariff !== 'HP' && tariff !== 'HC') throw new BadRow('tariff', `the tariff ${tariff} is unknown`);
 * ```
 */
export class BadRow extends Error {
  override readonly name = 'BadRow';
  readonly reason: BadRowReason;

  /**
   * @param reason - A word: small letters, digits, `-` and `_`, beginning with a letter. One of a few, since metrics are labelled with it.
   * @throws TypeError if it is not such a word.
   */
  constructor(reason: BadRowReason, message: string) {
    super(message);
    if (!/^[a-z][a-z0-9_-]{0,39}$/.test(reason))
      throw new TypeError(`the reason of a bad row is not a word: ${reason}`);
    this.reason = reason;
  }
}
