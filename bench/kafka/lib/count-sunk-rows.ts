import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetMetadata } from 'hyparquet';

const lf = 10;

/** Rows in all files of a folder and those below it: of CSV without the headers, of JSON lines, and of Parquet. */
export async function countSunkRows(folder: string): Promise<number> {
  let rows = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const bytes = await readFile(join(entry.parentPath, entry.name));
    if (entry.name.endsWith('.parquet')) rows += Number(parquetMetadata(new Uint8Array(bytes).buffer).num_rows);
    else rows += lines(bytes) - (entry.name.endsWith('.csv') ? 1 : 0);
  }
  return rows;
}

function lines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(lf); at >= 0; at = bytes.indexOf(lf, at + 1)) count++;
  return count;
}
