import { parseCivilDate } from '../common/time/civil.ts';
import { bytes } from '../config/setting-types.ts';

/** A whole number in `[min, max]`. */
export function wholeNumber(min = 0, max: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
    throw new Error(`expected a whole number ${range}`);
  };
}

/** A port; 0 stands for any free one. */
export const port: (text: string) => number = wholeNumber(0, 65_535);

/** A number in `[0, 1]`, such as `0.01`; `1%` is the same. */
export function ratio(text: string): number {
  const match = /^(\d+(?:\.\d+)?|\.\d+)(%?)$/.exec(text);
  const value = match === null ? Number.NaN : Number(match[1]) / (match[2] === '%' ? 100 : 1);
  if (value >= 0 && value <= 1) return value;
  throw new Error('expected a number from 0 to 1, or a percentage');
}

const msPerUnit: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A number of bytes: `1000`, `64MiB`, `128MB`. */
export function byteCount(text: string): number {
  const { read, expected } = bytes();
  const value = read(text);
  if (value !== undefined && value > 0) return value;
  throw new Error(`expected ${expected}`);
}

/** A length of time in ms: `24h`, `90m`, `1d12h`, `250ms`. A day is 24 hours. A bare `0` is fine, other bare numbers aren't. */
export function durationMs(text: string): number {
  if (text === '0') return 0;
  if (!/^(\d+(ms|s|m|h|d))+$/.test(text)) throw new Error('expected a length of time such as 24h, 90m or 1d12h');
  let sum = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|s|m|h|d)/g)) sum += Number(count) * msPerUnit[unit!]!;
  if (Number.isSafeInteger(sum)) return sum;
  throw new Error('that is too long');
}

/** A length of time as it can be typed: `24h` for 86400000, in the largest unit that needs no second one. */
export function typedDuration(ms: number): string {
  if (ms === 0) return '0';
  const unit = (['h', 'm', 's'] as const).find((each) => ms % msPerUnit[each]! === 0) ?? 'ms';
  return `${ms / msPerUnit[unit]!}${unit}`;
}

/** A civil date, `2018-01-31`, as it stands. */
export function civilDate(text: string): string {
  if (parseCivilDate(text) !== undefined) return text;
  throw new Error('expected a date such as 2018-01-31');
}
