import { existsSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';

const folder = process.env.GOLDEN_DATA ?? join(import.meta.dirname, '../../../../../shared/data');

/** Path in the folder of golden data, beside the checkout or where `GOLDEN_DATA` says. */
export function goldenPath(...parts: string[]): string {
  return join(folder, ...parts);
}

/** Registers a test that needs the golden data, if they are there. */
export const goldenTest: typeof test | (() => void) = existsSync(goldenPath('park')) ? test : () => undefined;
