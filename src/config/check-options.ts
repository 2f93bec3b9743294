import { didYouMean } from './nearest.ts';

/** What an option may be: a type, one of some words, or a number that is at least this. */
export type OptionKind = 'string' | 'boolean' | 'function' | 'object' | readonly string[] | number;

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
  if (typeof kind === 'number') {
    if (typeof value !== 'number') throw new TypeError(`${what}: give a number`);
    if (!(value >= kind)) throw new RangeError(`${what}: give ${kind} or more`);
  } else if (typeof kind === 'object') {
    if (!kind.includes(value as string)) throw new TypeError(`${what}: give one of ${kind.join(', ')}`);
  } else if (typeof value !== kind || value === null)
    throw new TypeError(`${what}: give ${kind === 'object' ? 'an' : 'a'} ${kind}`);
}

function shown(value: unknown): string {
  return typeof value === 'string'
    ? JSON.stringify(value)
    : typeof value === 'object' && value !== null
      ? 'an object'
      : String(value);
}
