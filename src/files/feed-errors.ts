import { StreamsError } from '../common/errors.ts';
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
