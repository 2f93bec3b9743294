import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Compares files of results line by line, in whatever order the lines are, headers aside.
 *
 * @param only - Names of the files to compare. @defaultValue all that are expected
 * @throws Error where they differ: a figure for a wrong result is void.
 */
export async function expectSameRows(actual: string, expected: string, only?: readonly string[]): Promise<void> {
  for (const name of only ?? (await readdir(expected))) {
    const [is, should] = await Promise.all([rowsOf(join(actual, name)), rowsOf(join(expected, name))]);
    const at = should.findIndex((row, i) => row !== is[i]);
    if (at >= 0 || is.length !== should.length)
      throw new Error(
        `${join(actual, name)} has ${is.length} rows, ${join(expected, name)} ${should.length}; first difference: ${is[at]}, not ${should[at]}`,
      );
  }
}

async function rowsOf(file: string): Promise<readonly string[]> {
  const lines = (await readFile(file, 'utf8')).split('\n');
  return lines.filter((line) => line !== '' && !line.startsWith('window_start,')).sort();
}
