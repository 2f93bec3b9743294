import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { ExecutionContext } from 'ava';
import { parseCivilDate } from '../../../../src/common/time/civil.ts';
import { generate } from '../../../../topologies/grid/generator/generate.ts';
import type { GenerateOptions } from '../../../../topologies/grid/generator/generate-plan.ts';
import { rowsOf } from './naive-statistics.ts';

/** A small set: 40 meters, 8 concentrators, 20 days, 500 events a day. */
export const small: Omit<GenerateOptions, 'out'> = {
  from: parseCivilDate('2017-12-20')!,
  days: 20,
  meters: 40,
  concentrators: 8,
  seed: 1,
  eventsPerDay: 500,
};

/** A new folder, which is removed after the test. */
export function newFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'weir-generated-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  return folder;
}

/** Makes a set in a new folder. */
export async function made(t: ExecutionContext, options: Partial<GenerateOptions> = {}): Promise<string> {
  const out = newFolder(t);
  await generate({ ...small, ...options, out });
  return out;
}

/** Hashes of all files of a folder, by their paths in it. */
export function hashes(folder: string): Map<string, string> {
  const files = [...contents(folder)];
  return new Map(files.map(([path, bytes]) => [path, createHash('sha256').update(bytes).digest('hex')]));
}

/** All files of a folder, by their paths in it. */
export function contents(folder: string): Map<string, Buffer> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort();
  return new Map(paths.map((path) => [relative(folder, path), readFileSync(path)]));
}

/** A row of damaged.csv. */
export interface DamagedEntry {
  readonly file: string;
  readonly line: number;
  readonly offset: number;
  readonly reason: string;
}

/** What damaged.csv lists. */
export function damagedRows(out: string): DamagedEntry[] {
  return rowsOf(readFileSync(join(out, 'truth/damaged.csv'))).map((row) => ({
    file: row.file!,
    line: Number(row.line),
    offset: Number(row.offset),
    reason: row.reason!,
  }));
}

/** A row of late.csv. */
export interface LateEntry {
  readonly file: string;
  readonly line: number;
  readonly offset: number;
}

/** What late.csv lists; nothing if it is not there. */
export function lateRows(out: string): LateEntry[] {
  const path = join(out, 'truth/late.csv');
  if (!existsSync(path)) return [];
  return rowsOf(readFileSync(path)).map((row) => ({
    file: row.file!,
    line: Number(row.line),
    offset: Number(row.offset),
  }));
}

/** Takes the rows that damaged.csv lists out of an event file. */
export function withoutDamaged(out: string): (file: string, bytes: Buffer) => Buffer {
  return without(damagedRows(out));
}

/** Takes the rows that damaged.csv and late.csv list out of an event file. Rows that are late have no line breaks. */
export function withoutUncounted(out: string): (file: string, bytes: Buffer) => Buffer {
  return without([...damagedRows(out), ...lateRows(out)].sort((a, b) => a.offset - b.offset));
}

function without(
  entries: readonly { readonly file: string; readonly offset: number }[],
): (file: string, bytes: Buffer) => Buffer {
  return (file, bytes) => {
    const parts: Buffer[] = [];
    let from = 0;
    for (const { offset } of entries.filter((entry) => entry.file === file)) {
      parts.push(bytes.subarray(from, offset));
      from = bytes.indexOf('\n', offset) + 1;
    }
    return Buffer.concat([...parts, bytes.subarray(from)]);
  };
}
