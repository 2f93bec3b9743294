import { messageOf, StreamsError } from '../common/errors.ts';
import type { FatalRow } from './file-batch.ts';

/** The error for a bad row of a feed that stops at the first. */
export function badRowError(topic: string, { reason, message, origin }: FatalRow): StreamsError {
  const { file, line, offset } = origin;
  return new StreamsError(
    'STREAMS_BAD_ROW',
    `${file}:${line}:${offset}: bad row of topic ${topic}: ${reason}. ${message[0]?.toUpperCase()}${message.slice(1)}. Mend it, or let bad rows go to the dead letters (on error: continue).`,
    { topic, file, line, offset },
  );
}

/** Where reading has come to in a file of a topic. */
export interface PlaceInFile {
  readonly topic: string;
  readonly file: string;
  readonly line: number;
  readonly offset: number;
}

/** The error for a packed file that is cut. */
export function truncatedError(path: string, where: PlaceInFile): StreamsError {
  return new StreamsError(
    'STREAMS_FILE',
    `${path} of topic ${where.topic} is cut: it ends inside its compressed data, behind byte ${where.offset} of its rows (line ${where.line}). ` +
      'Put the whole file there and start again: it goes on with the rest of it, and nothing that follows was read before.',
    where,
  );
}

/** Where a packed file does not serve. */
export interface PlaceInPacked {
  readonly path: string;
  readonly kind: 'gzip' | 'zstd';
  /** Bytes of its content that were read. */
  readonly offset: number;
  readonly diskBytes: number;
  /** What was read of it on disk last. */
  readonly block: Buffer;
}

/** The error for a packed file that is damaged, or not packed at all. */
export function damagedError({ path, kind, offset, diskBytes, block }: PlaceInPacked, cause: unknown): StreamsError {
  // A header of either kind has bytes that no text has.
  const isText = offset === 0 && block.subarray(0, Math.min(16, diskBytes)).every((byte) => byte >= 0x09);
  const problem = isText
    ? `${path} is not a ${kind} file: it begins with text. Give it a name without .${kind === 'gzip' ? 'gz' : 'zst'} if it is not compressed, or pack it, and start again.`
    : `${path} is not a valid ${kind} file after byte ${offset} of its content (within the first ${diskBytes} bytes on disk): ${messageOf(cause)}. ` +
      'Replace it with an intact copy, and start again.';
  return new StreamsError('STREAMS_FILE', problem, { file: path, offset, cause });
}
