import { rowsOf } from '../../../state/page-rows.ts';
import { varintLength, writeVarint } from '../../../state/varint.ts';
import { readInt64, writeInt64 } from '../../common/bytes.ts';
import type { ByteRow } from '../stores/byte-rows.ts';

/** Content type of {@link encodeRows}. */
export const rowsType = 'application/vnd.weir.rows';

/** Bytes of frames that are handed on together, and of the buffer that gathers them: the last row mostly has room above. */
const chunkLength = 64 * 1024;
const bufferLength = chunkLength + 4096;
const headLength = 12;
const endLength = 12;

/** Lengths of key and value are below 2^28: a frame that is longer than one such row behind others is none. */
const longestFrame = 2 ** 29 + 2 * chunkLength;

/**
 * Rows as a stream of bytes. It ends with a mark that has their number: a stream that is cut anywhere is seen to be cut.
 *
 * ```
 * frame   | length uint32, of what follows | start int64 | rows of that start: | key length | key | value length | value |     lengths as in state/varint.ts
 * end     | 0 uint32 | number of rows int64 |
 * all big-endian; the one row start 1, key 'a', value 02 is 00 00 00 0c | 00 00 00 00 00 00 00 01 | 01 61 01 02 | 00 00 00 00 | 00 00 00 00 00 00 00 01
 * ```
 */
export async function* encodeRows(pages: AsyncIterable<readonly ByteRow[]>): AsyncGenerator<Uint8Array> {
  const writer = new FrameWriter();
  for await (const page of pages) {
    for (const row of page) {
      writer.add(row);
      if (writer.length >= chunkLength) yield writer.take();
    }
  }
  yield writer.end();
}

/** Puts rows into frames, those of one start that follow each other into one. */
class FrameWriter {
  #bytes: Uint8Array = new Uint8Array(bufferLength);
  #view = new DataView(this.#bytes.buffer);
  /** Where the frame under way begins, and its start; none at the beginning of a chunk. */
  #frameAt = -1;
  #startMs = 0;
  #rows = 0;
  length = 0;

  add({ startMs, key, value }: ByteRow): void {
    const rowLength = varintLength(key.length) + key.length + varintLength(value.length) + value.length;
    this.#room(headLength + rowLength);
    if (this.#frameAt < 0 || startMs !== this.#startMs) this.#beginFrame(startMs);
    const bytes = this.#bytes;
    let at = writeVarint(bytes, this.length, key.length);
    bytes.set(key, at);
    at = writeVarint(bytes, at + key.length, value.length);
    bytes.set(value, at);
    this.length = at + value.length;
    this.#rows++;
  }

  /** The frames so far. */
  take(): Uint8Array {
    this.#endFrame();
    const bytes = this.#bytes.subarray(0, this.length);
    this.#bytes = new Uint8Array(bufferLength);
    this.#view = new DataView(this.#bytes.buffer);
    this.length = 0;
    return bytes;
  }

  /** The last frames and the end mark. */
  end(): Uint8Array {
    this.#endFrame();
    this.#room(endLength);
    this.#view.setUint32(this.length, 0);
    writeInt64(this.#bytes, this.length + 4, this.#rows);
    this.length += endLength;
    return this.take();
  }

  #beginFrame(startMs: number): void {
    this.#endFrame();
    this.#frameAt = this.length;
    this.#startMs = startMs;
    writeInt64(this.#bytes, this.length + 4, startMs);
    this.length += headLength;
  }

  #endFrame(): void {
    if (this.#frameAt >= 0) this.#view.setUint32(this.#frameAt, this.length - this.#frameAt - 4);
    this.#frameAt = -1;
  }

  #room(more: number): void {
    if (this.length + more <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.length + more));
    larger.set(this.#bytes.subarray(0, this.length));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

/**
 * The rows of what {@link encodeRows} made, whatever pieces it comes in. Keys and values are views of the pieces.
 *
 * @throws Error that says what is wrong if the stream ends before its end mark, or is none of these.
 */
export async function* decodeRows(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<readonly ByteRow[]> {
  const reader = new FrameReader();
  for await (const piece of pieces) {
    const rows = reader.read(piece);
    if (rows.length > 0) yield rows;
  }
  if (!reader.ended) throw new Error('it ends before its end mark');
}

/** Takes frames out of pieces. A frame that goes over several is gathered. */
class FrameReader {
  ended = false;
  #rows = 0;
  /** The first bytes of a frame, or of the end, that is not whole yet. */
  #partial: Uint8Array = new Uint8Array(headLength);
  #have = 0;

  read(piece: Uint8Array): ByteRow[] {
    const rows: ByteRow[] = [];
    let at = 0;
    while (at < piece.length) {
      if (this.ended) throw new Error('it goes on after its end mark');
      at = this.#have === 0 ? this.#fromPiece(piece, at, rows) : this.#gather(piece, at, rows);
    }
    this.#rows += rows.length;
    return rows;
  }

  /** Takes what begins at a place of a piece, or keeps it for later if it is not whole. */
  #fromPiece(piece: Uint8Array, at: number, rows: ByteRow[]): number {
    const rest = piece.length - at;
    const needed = rest < headLength ? headLength : neededAt(piece, at);
    if (needed <= rest) {
      this.#take(piece, at, at + needed, rows);
      return at + needed;
    }
    if (needed > this.#partial.length) this.#partial = new Uint8Array(needed);
    this.#partial.set(piece.subarray(at));
    this.#have = rest;
    return piece.length;
  }

  #gather(piece: Uint8Array, at: number, rows: ByteRow[]): number {
    let needed = this.#have < headLength ? headLength : neededAt(this.#partial, 0);
    const taken = Math.min(needed - this.#have, piece.length - at);
    this.#partial.set(piece.subarray(at, at + taken), this.#have);
    this.#have += taken;
    if (this.#have < headLength) return at + taken;
    needed = neededAt(this.#partial, 0);
    if (this.#have >= needed) {
      this.#take(this.#partial, 0, needed, rows);
      // Its rows are views of it.
      this.#partial = new Uint8Array(headLength);
      this.#have = 0;
    } else if (needed > this.#partial.length) {
      const larger = new Uint8Array(needed);
      larger.set(this.#partial.subarray(0, this.#have));
      this.#partial = larger;
    }
    return at + taken;
  }

  #take(bytes: Uint8Array, from: number, to: number, rows: ByteRow[]): void {
    if (uint32At(bytes, from) !== 0) {
      rowsOf(bytes.subarray(from + headLength, to), readInt64(bytes, from + 4), rows);
      return;
    }
    const count = readInt64(bytes, from + 4);
    const have = this.#rows + rows.length;
    if (count !== have) throw new Error(`it has ${have} rows, and says ${count}`);
    this.ended = true;
  }
}

/** Bytes of the frame, or of the end, whose head is at this place. */
function neededAt(bytes: Uint8Array, at: number): number {
  const length = uint32At(bytes, at);
  if (length === 0) return endLength;
  if (length < headLength - 4 || length > longestFrame) throw new Error(`it has a frame of ${length} bytes`);
  return length + 4;
}

function uint32At(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}
