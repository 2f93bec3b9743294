import { compareBytes } from '../src/common/bytes.ts';
import type { LoggedRow } from './log-reader.ts';
import type { WindowRow } from './paged-window-store.ts';

/** Pages whose first was asked for already. */
export async function* begun(
  first: Promise<IteratorResult<readonly WindowRow[]>>,
  rest: AsyncGenerator<readonly WindowRow[]>,
): AsyncGenerator<readonly WindowRow[]> {
  try {
    const { done, value } = await first;
    if (done === true) return;
    yield value;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}

/** Rows of pages, and in their places those of the log. */
export async function* withLogged(
  pages: AsyncIterable<readonly WindowRow[]>,
  logged: readonly LoggedRow[],
): AsyncGenerator<readonly WindowRow[]> {
  let next = 0;
  const take = (rows: WindowRow[]): void => {
    const { startMs, key, value } = logged[next++]!;
    if (value !== undefined) rows.push({ startMs, key: Buffer.from(key, 'latin1'), value: bytesOf(value)! });
  };
  for await (const page of pages) {
    const rows: WindowRow[] = [];
    for (const row of page) {
      let order = -1;
      while (next < logged.length) {
        order = compareRows(logged[next]!, row);
        if (order >= 0) break;
        take(rows);
      }
      if (next < logged.length && order === 0) take(rows);
      else rows.push(row);
    }
    if (rows.length > 0) yield rows;
  }
  const rest: WindowRow[] = [];
  while (next < logged.length) take(rest);
  if (rest.length > 0) yield rest;
}

function compareRows(logged: LoggedRow, { startMs, key }: WindowRow): number {
  return logged.startMs - startMs || compareBytes(Buffer.from(logged.key, 'latin1'), key);
}

/** The bytes of a value that the log has. */
export function bytesOf(value: string | undefined): Uint8Array | undefined {
  return value === undefined ? undefined : new Uint8Array(Buffer.from(value, 'latin1'));
}
