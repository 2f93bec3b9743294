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

for (const [name, expected] of Object.entries(printed)) {
  test.serial(`example ${name} prints what its comments promise`, async (t) => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [
      ...typescript,
      new URL(name, folder).pathname,
    ]);
    t.is(stderr, '');
    t.deepEqual(lines(stdout), lines(expected));
  });
}
