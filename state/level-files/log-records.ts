import { crc32c } from '../../src/common/crc.ts';

/** What a log of LevelDB holds. */
export interface LogContent {
  /** Whole records, up to the first place that cannot be read. */
  readonly records: readonly Uint8Array[];
  /**
   * How it ends. `cut`: the end of the last record is missing, as a killed process leaves it. `broken`: the last record is there and damaged. `hole`: there are records
   * behind a place that cannot be read.
   */
  readonly end: 'whole' | 'cut' | 'broken' | 'hole';
  /** Where what cannot be read begins. */
  readonly at: number;
}

interface Piece {
  readonly type: number;
  readonly from: number;
  readonly to: number;
}

const blockBytes = 32 * 1024;
const headerBytes = 7;
const whole = 1;
const first = 2;
const last = 4;

/** A checksum as LevelDB stores it: rotated, so that the checksum of what holds checksums is a good one. */
export function maskedCrc(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** A uint32, little-endian. */
export function readUint32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

/**
 * Reads the records of a log or a manifest. A record is one piece, or several that fill blocks of 32 KiB:
 *
 * ```
 * | masked CRC-32C of all that follows: 4 | length: 2 | type: 1 | bytes |     little-endian; type 1 whole, 2 first, 3 middle, 4 last
 * ```
 *
 * LevelDB leaves out what it cannot read without a word, and goes on behind it.
 */
export function readLog(bytes: Uint8Array): LogContent {
  const records: Uint8Array[] = [];
  let parts: Uint8Array[] = [];
  let start = 0;
  for (let at = 0; at < bytes.length; ) {
    const left = blockBytes - (at % blockBytes);
    if (left < headerBytes) {
      at += left;
      continue;
    }
    const piece = pieceAt(bytes, at);
    const begins = piece?.type === whole || piece?.type === first;
    if (piece === undefined || begins !== (parts.length === 0))
      return { records, end: endOf(bytes, at, piece), at: parts.length === 0 ? at : start };
    if (begins) start = at;
    parts.push(bytes.subarray(piece.from, piece.to));
    if (piece.type === whole || piece.type === last) {
      records.push(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
      parts = [];
    }
    at = piece.to;
  }
  return { records, end: parts.length === 0 ? 'whole' : 'cut', at: parts.length === 0 ? bytes.length : start };
}

/** The piece at a position; undefined where there is none that is whole. */
function pieceAt(bytes: Uint8Array, at: number): Piece | undefined {
  const from = at + headerBytes;
  if (from > bytes.length) return undefined;
  const to = from + (bytes[at + 4]! | (bytes[at + 5]! << 8));
  const type = bytes[at + 6]!;
  const endOfBlock = at - (at % blockBytes) + blockBytes;
  if (type < whole || type > last || to > endOfBlock || to > bytes.length) return undefined;
  if (maskedCrc(crc32c(bytes, at + 6, to)) !== readUint32(bytes, at)) return undefined;
  return { type, from, to };
}

function endOf(bytes: Uint8Array, at: number, piece: Piece | undefined): 'cut' | 'broken' | 'hole' {
  if (piece !== undefined || beginsBehind(bytes, at)) return 'hole';
  const claimed = at + headerBytes + (bytes[at + 4] ?? 0) + ((bytes[at + 5] ?? 0) << 8);
  // Zeros: the file had grown already when the power failed.
  return claimed > bytes.length || bytes.subarray(at).every((byte) => byte === 0) ? 'cut' : 'broken';
}

/** Whether a record begins behind a damaged place. In its block at any byte, since lengths lead astray there; in the blocks after it where they begin. */
function beginsBehind(bytes: Uint8Array, damaged: number): boolean {
  const endOfBlock = damaged - (damaged % blockBytes) + blockBytes;
  for (let at = damaged + 1; at < Math.min(endOfBlock - headerBytes, bytes.length); at++) {
    const type = pieceAt(bytes, at)?.type;
    if (type === whole || type === first) return true;
  }
  for (let block = endOfBlock; block < bytes.length; block += blockBytes)
    for (let at = block; at <= block + blockBytes - headerBytes; ) {
      const piece = pieceAt(bytes, at);
      if (piece === undefined) break;
      if (piece.type === whole || piece.type === first) return true;
      at = piece.to;
    }
  return false;
}
