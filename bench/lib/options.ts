import { parseArgs } from 'node:util';

/** Options of a program by name, with their types. */
export type Options<D> = {
  readonly [N in keyof D]: D[N] extends number ? number : D[N] extends boolean ? boolean : string;
};

/**
 * Reads options such as `--days 30 --peers`, typed as their defaults are.
 *
 * @throws TypeError for an unknown one.
 */
export function readOptions<D extends Readonly<Record<string, number | boolean | string>>>(defaults: D): Options<D> {
  const options = Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => [
      name,
      { type: typeof value === 'boolean' ? ('boolean' as const) : ('string' as const) },
    ]),
  );
  const { values } = parseArgs({ options, strict: true });
  const read = Object.entries(defaults).map(([name, value]) => [name, typed(name, values[name] ?? value, value)]);
  return Object.fromEntries(read) as Options<D>;
}

function typed(name: string, given: unknown, like: number | boolean | string): number | boolean | string {
  if (typeof like !== 'number') return given as boolean | string;
  const number = Number(given);
  if (!Number.isFinite(number) || given === '') throw new TypeError(`--${name} is ${String(given)}, no number`);
  return number;
}
