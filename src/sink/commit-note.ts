import { StreamsError } from '../common/errors.ts';

/**
 * What a sink commits beside a position while it makes a range of records visible: "all before the position is visible; the files of the range from it to `last` are sealed, and become visible now".
 *
 * The files' paths follow from it (see `FileNames`), so whoever takes the partition over finishes the range, whatever the earlier owner got done.
 */
export interface CommitNote {
  /** Offset of the last record of the range. */
  readonly last: number;
  /** The periods that have a file, ascending. */
  readonly periods: readonly number[];
  /** Whether there is a dead-letter file. */
  readonly dead: boolean;
  /** How files are written: another program must not finish the range under other names. */
  readonly form: string;
}

const version = 1;

/** Brokers take up to 4,096 bytes; some room is left. */
export const noteBytes = 4000;

/** A note as the metadata of a committed position. Periods stand as steps, in base 36: consecutive days take two characters each. */
export function encodeNote({ last, periods, dead, form }: CommitNote): string {
  const steps = periods.map((period, i) => (i === 0 ? period : period - periods[i - 1]!).toString(36));
  return JSON.stringify({ weir: version, last, dead, form, periods: steps.join(' ') });
}

/**
 * The note of a position's metadata; undefined for '' and for what another program wrote.
 *
 * @throws StreamsError `STREAMS_STATE_NEWER` for a note of a later version: who cannot read it must not give up its files.
 */
export function decodeNote(metadata: string): CommitNote | undefined {
  if (metadata === '') return undefined;
  let read: unknown;
  try {
    read = JSON.parse(metadata);
  } catch {
    return undefined;
  }
  const note = read as { weir?: unknown; last: number; dead: boolean; form: string; periods: string };
  if (note === null || typeof note !== 'object' || typeof note.weir !== 'number') return undefined;
  if (note.weir !== version)
    throw new StreamsError(
      'STREAMS_STATE_NEWER',
      `the sink's position has a note of version ${note.weir}; this program knows version ${version}. Start the sink once with the newer version.`,
    );
  let at = 0;
  const periods = note.periods === '' ? [] : note.periods.split(' ').map((step) => (at += Number.parseInt(step, 36)));
  return { last: note.last, dead: note.dead, form: note.form, periods };
}
