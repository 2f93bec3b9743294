import type { HeaderLayout } from './csv-header.ts';

/** Most bytes of a row, without its line end: 1 MiB. */
export const maxRowBytes: number = 1 << 20;

/** Bytes that a window must have to spare behind its end. */
export const windowTailBytes = 4;

/** What {@link CsvScanner.next} found. */
export type ScanOutcome = 0 | 1 | 2 | 3 | 4 | 5;
/** A good row, decoded. */
export const scannedRow = 0;
/** A bad row, with its reason. */
export const scannedDead = 1;
/** The window is used up to `at`: the next one starts there. */
export const scannedWindow = 2;
/** The end of the file. What stands behind `at`, if anything, is a cut last line that waits for its rest. */
export const scannedEnd = 3;
/** The file goes on behind a line that was read as its last one without a line end, and not with a line end: that line was cut. */
export const scannedTorn = 4;
/** The header does not serve: nothing of the file is read. */
export const scannedRefused = 5;

/**
 * What follows the bytes of a window: `more` bytes; nothing for now, so that a last line without line end `waits`; or nothing (`final`), so that
 * it is a row if it is a good one, and waits otherwise.
 */
export type WindowEnding = 'more' | 'waits' | 'final';

/** What to tell of a window in which there is no more that can be judged. */
export function pauseOf(ending: WindowEnding): ScanOutcome {
  return ending === 'more' ? scannedWindow : scannedEnd;
}

/** Where a scanner stands in a file, apart from the offset: what it needs to go on there. */
export interface ScanState {
  /** Physical line that comes next, from 1, the header included. */
  readonly line: number;
  /** The last row had no line end: what comes first must be one. */
  readonly openEnd: boolean;
  /** Inside a line that is too long and already judged: goes on behind its line end. */
  readonly skipping: boolean;
  /** Undefined until the header is read. */
  readonly layout: HeaderLayout | undefined;
  /** Of a row that is several records: how many of the next row's were taken. @defaultValue 0 */
  readonly record?: number;
}
