import type { Header } from '../../processor/record.ts';
import type { FetchedRecords } from '../fetched-records.ts';
import type { RecordColumns } from './record-columns.ts';

/** Records with their offsets: what a log keeps of a batch. */
export interface PlacedRecords {
  readonly columns: RecordColumns;
  readonly offsets: Float64Array;
}

/** Records `from` to the end of a batch. */
export interface Piece extends PlacedRecords {
  readonly from: number;
}

/** What is the same for all records of a fetch. */
export interface FetchedFrame {
  readonly topic: string;
  readonly partition: number;
  readonly appendTime: boolean;
  readonly nextOffset: number;
  readonly stableEnd: number;
}

const noHeaders: readonly Header[] = Object.freeze([]);

/** One piece of a log is given out as it lies there; several are put together. */
export function fetchedOf(frame: FetchedFrame, pieces: readonly Piece[]): FetchedRecords {
  return pieces.length === 1 ? viewOf(frame, pieces[0]!) : mergedOf(frame, pieces);
}

function viewOf(frame: FetchedFrame, { columns, offsets, from }: Piece): FetchedRecords {
  const { headers } = columns;
  return {
    ...frame,
    length: columns.length - from,
    offsets: offsets.subarray(from),
    timestamps: columns.timestamps.subarray(from),
    bytes: columns.bytes,
    keyStarts: columns.keyStarts.subarray(from),
    keyEnds: columns.keyEnds.subarray(from),
    valueStarts: columns.valueStarts.subarray(from),
    valueEnds: columns.valueEnds.subarray(from),
    headers: headers === undefined ? () => noHeaders : (i) => headers[from + i] ?? noHeaders,
  };
}

function mergedOf(frame: FetchedFrame, pieces: readonly Piece[]): FetchedRecords {
  const length = pieces.reduce((sum, { columns, from }) => sum + columns.length - from, 0);
  const bytes = Buffer.concat(pieces.map(({ columns }) => columns.bytes));
  const offsets = new Float64Array(length);
  const timestamps = new Float64Array(length);
  const bounds = ['keyStarts', 'keyEnds', 'valueStarts', 'valueEnds'] as const;
  const merged = {
    keyStarts: new Int32Array(length),
    keyEnds: new Int32Array(length),
    valueStarts: new Int32Array(length),
    valueEnds: new Int32Array(length),
  };
  let headers: (readonly Header[])[] | undefined;
  let at = 0;
  let shift = 0;
  for (const { columns, offsets: own, from } of pieces) {
    offsets.set(from === 0 ? own : own.subarray(from), at);
    timestamps.set(from === 0 ? columns.timestamps : columns.timestamps.subarray(from), at);
    for (const bound of bounds) {
      const source = columns[bound];
      const target = merged[bound];
      for (let i = from, to = at; i < columns.length; i++, to++) target[to] = source[i]! < 0 ? -1 : source[i]! + shift;
    }
    if (columns.headers !== undefined) {
      headers ??= [];
      for (let i = from; i < columns.length; i++) {
        const own = columns.headers[i];
        if (own !== undefined) headers[at + i - from] = own;
      }
    }
    at += columns.length - from;
    shift += columns.bytes.length;
  }
  const found = headers;
  return {
    ...frame,
    length,
    offsets,
    timestamps,
    bytes,
    ...merged,
    headers: found === undefined ? () => noHeaders : (i) => found[i] ?? noHeaders,
  };
}
