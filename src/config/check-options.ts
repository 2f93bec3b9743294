import { didYouMean } from './nearest.ts';
import { maxTimerMs } from './setting-types.ts';

/** Bounds of a number, both included. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
}

/** What an option may be: a type, one of some words, a number that is at least this, or one within bounds. */
export type OptionKind = 'string' | 'boolean' | 'function' | 'object' | readonly string[] | number | Bounds;

/** A number of ms that a timer takes: beyond the longest, timers of Node fire at once, and brokers take no more either. */
export function timer(min: number): Bounds {
  return { min, max: maxTimerMs };
}

/**
 * Refuses options that a program gives and that mean nothing, which a program without types may: one that does not exist, or of another type. Undefined is as not given.
 *
 * @param owner - Whose options: 'KafkaStreams'.
 * @param kinds - All that there are.
 * @param required - Those that must be given.
 * @throws TypeError for `{ commitIntervallMs: 5 }` ("Did you mean commitIntervalMs?") and `{ commitIntervalMs: '5' }`.
 * @throws RangeError for `{ commitIntervalMs: -5 }`.
 */
export function checkOptions<Name extends string>(
  owner: string,
  options: object,
  kinds: Readonly<Record<Name, OptionKind>>,
  required: readonly NoInfer<Name>[],
): void {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`the options of ${owner} are ${shown(options)}: give an object`);
  const given = new Map(Object.entries(options).filter(([, value]) => value !== undefined));
  for (const [name, value] of given) {
    const kind = (kinds as Readonly<Record<string, OptionKind>>)[name];
    if (kind === undefined || !Object.hasOwn(kinds, name))
      throw new TypeError(`${owner} has no option ${name}.${didYouMean(name, Object.keys(kinds))}`);
    checkOption(`${name} of ${owner} is ${shown(value)}`, value, kind);
  }
  for (const name of required)
    if (!given.has(name)) throw new TypeError(`${owner} needs the option ${name}, and it is not given`);
}

function checkOption(what: string, value: unknown, kind: OptionKind): void {
  if (typeof kind === 'number' || isBounds(kind)) {
    const { min, max } = typeof kind === 'number' ? { min: kind, max: Number.POSITIVE_INFINITY } : kind;
    if (typeof value !== 'number') throw new TypeError(`${what}: give a number`);
    if (!(value >= min)) throw new RangeError(`${what}: give ${min} or more`);
    if (value > max) throw new RangeError(`${what}: give ${max} or less`);
  } else if (typeof kind === 'object') {
    if (!kind.includes(value as string)) throw new TypeError(`${what}: give one of ${kind.join(', ')}`);
  } else if (typeof value !== kind || value === null)
    throw new TypeError(`${what}: give ${kind === 'object' ? 'an' : 'a'} ${kind}`);
}

function isBounds(kind: OptionKind): kind is Bounds {
  return typeof kind === 'object' && 'min' in kind;
}

function shown(value: unknown): string {
  return typeof value === 'string'
    ? JSON.stringify(value)
    : typeof value === 'object' && value !== null
      ? 'an object'
      : String(value);
}
