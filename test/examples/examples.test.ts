import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import test from 'ava';
import { typescript } from '../helpers/typescript-child.ts';
import { lines, printed } from './printed.ts';

const folder = new URL('../../examples/', import.meta.url);

test('each example has its expected output here', (t) => {
  t.deepEqual(
    readdirSync(folder)
      .filter((name) => name.endsWith('.ts'))
      .sort(),
    Object.keys(printed),
  );
});

/** What examples say on stderr. */
const told: Readonly<Record<string, RegExp>> = {
  '2-daily-sums-of-a-csv-folder.ts': /^weir: warning: 1 of 5 rows \(20%\) did not count: 1 value\. .*\n$/,
};

for (const [name, expected] of Object.entries(printed)) {
  test.serial(`example ${name} prints what its comments promise`, async (t) => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [
      ...typescript,
      new URL(name, folder).pathname,
    ]);
    t.regex(stderr, told[name] ?? /^$/);
    t.deepEqual(lines(stdout), lines(expected));
  });
}
