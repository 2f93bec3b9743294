import { Windowed } from '../../../src/index.ts';
import type { Predicate, TextFunction } from './description.ts';

/** A key: a text, a text in a window, or none. */
export type Key = string | Windowed<string> | undefined;
/** A value: a text, a number, or none. */
export type Value = string | number | undefined;

/** A key or value as text; nothing stays nothing. */
export function text(value: Key | Value): string | undefined {
  if (value instanceof Windowed) return `${value.key}@${value.startMs}`;
  return value === undefined ? undefined : String(value);
}

function shown(value: Key | Value): string {
  return text(value) ?? 'null';
}

function hash(value: Key | Value): number {
  const of = text(value) ?? '';
  let sum = 0;
  for (let i = 0; i < of.length; i++) sum = (sum * 31 + of.charCodeAt(i)) % 100_003;
  return sum;
}

const tail = (of: string): string => of.slice(-12);

/** Whether a record or row passes. */
export function passes(f: Predicate, key: Key, value: Value): boolean {
  return hash(f.on === 'key' ? key : value) % f.m === f.r;
}

function hits({ m = 0, r }: TextFunction, value: Key | Value): boolean {
  return m > 0 && hash(value) % m === r;
}

export function newValue(f: TextFunction, key: Key, value: Value): string | undefined {
  if (hits(f, value)) return undefined;
  switch (f.kind) {
    case 'tag':
      return tail(shown(value) + f.tag!);
    case 'key':
      return tail(`${hash(key)}=${shown(value)}`);
    case 'same':
      return text(value);
    case 'one':
      return f.tag!;
    case 'cut':
      return cut(value);
    default:
      throw new TypeError(f.kind);
  }
}

export function newKey(f: TextFunction, key: Key, value: Value): string | undefined {
  if (hits(f, value)) return undefined;
  switch (f.kind) {
    case 'bucket':
      return `k${hash(value) % f.n!}`;
    case 'key':
      return key === undefined ? undefined : text(key)! + f.tag!;
    case 'cut':
      return cut(value);
    default:
      throw new TypeError(f.kind);
  }
}

function cut(value: Value): string | undefined {
  const of = text(value);
  return of === undefined || of === '' ? undefined : of.slice(0, 1);
}

/** None to two values for one. */
export function valuesOf(value: Value): string[] {
  return Array.from({ length: hash(value) % 3 }, (_, i) => tail(`${shown(value)}.${i}`));
}

/** None to two records for one. */
export function recordsOf(f: TextFunction, key: Key, value: Value): [Key, Value][] {
  return valuesOf(value).map((item) => [newKey(f, key, item), item]);
}

export function joined(f: TextFunction, left: Value, right: Value): string | undefined {
  const both = tail(`${shown(left)}/${shown(right)}`);
  return hits(f, both) ? undefined : both;
}

export function initial(f: TextFunction): string {
  return f.kind === 'sum' ? '0' : '';
}

export function add(f: TextFunction, value: Value, total: Value): string | undefined {
  if (hits(f, value)) return undefined;
  return f.kind === 'sum' ? String(amount(total) + amount(value)) : tail(`${text(total)!}+${shown(value)}`);
}

export function subtract(f: TextFunction, value: Value, total: Value): string | undefined {
  if (hits(f, value)) return undefined;
  return f.kind === 'sum' ? String(amount(total) - amount(value)) : tail(`${text(total)!}-${shown(value)}`);
}

/** The number that a text spells, or a number made of it. */
function amount(value: Value): number {
  const of = text(value);
  return of !== undefined && /^-?[0-9]{1,7}$/.test(of) ? Number(of) : hash(of) % 100;
}
