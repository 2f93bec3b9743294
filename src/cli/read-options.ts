import { messageOf, StreamsError } from '../common/errors.ts';
import type { OptionValue } from '../config/load-config.ts';
import { didYouMean } from '../config/nearest.ts';
import type { SettingName } from '../config/settings.ts';
import { environmentNameOf } from '../config/settings.ts';
import type { ArgumentSpec, OptionSpec } from './option-spec.ts';

/** What the parser found for an option. */
export type RawValue = string | readonly string[] | boolean | undefined;

/** Options as values, and those that set settings. */
export interface ReadOptions {
  readonly values: Record<string, unknown>;
  readonly settings: ReadonlyMap<SettingName, OptionValue>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The long flag: `--state` of `-s, --state <dir>`. */
export function longFlagOf(option: Pick<OptionSpec, 'flags'>): string {
  const match = /--[a-z][a-z0-9-]*/.exec(option.flags);
  if (match === null) throw new TypeError(`option ${JSON.stringify(option.flags)} needs a long name such as --state`);
  return match[0];
}

/** The key of an option's value: `moveDone` of `--move-done <dir>`. */
export function keyOf(option: Pick<OptionSpec, 'flags'>): string {
  return longFlagOf(option)
    .slice(2)
    .replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** Whether an option is followed by a value, or may be. */
export function takesValue(option: OptionSpec): boolean {
  return /[<[]/.test(option.flags);
}

/** The environment variable of an option, or of its setting. */
export function variableOf(option: OptionSpec): string | undefined {
  return option.setting === undefined ? option.env : environmentNameOf(option.setting);
}

/** Options from the command line, else from the environment, else by default. @throws {@link StreamsError} `STREAMS_USAGE` */
export function readOptions(
  specs: readonly OptionSpec[],
  raw: Readonly<Record<string, RawValue>>,
  env: Environment,
): ReadOptions {
  const values: Record<string, unknown> = {};
  const settings = new Map<SettingName, OptionValue>();
  for (const spec of specs) {
    const given = raw[keyOf(spec)];
    const { needs } = spec;
    if (given !== undefined && needs !== undefined && !isGiven(needs, specs, raw, env)) {
      throw new StreamsError(
        'STREAMS_USAGE',
        `${longFlagOf(spec)} means nothing without ${needs}: give both, or neither.`,
      );
    }
    if (spec.setting === undefined)
      values[keyOf(spec)] = takesValue(spec) ? readValueOf(spec, given, env) : isOn(spec, given, env);
    else if (typeof given === 'string' || given === true)
      settings.set(spec.setting, { flag: longFlagOf(spec), text: String(given) });
  }
  return { values, settings };
}

/** Whether an option is given, on the command line or in the environment. */
function isGiven(
  flag: string,
  specs: readonly OptionSpec[],
  raw: Readonly<Record<string, RawValue>>,
  env: Environment,
): boolean {
  if (raw[keyOf({ flags: flag })] !== undefined) return true;
  const spec = specs.find((each) => longFlagOf(each) === flag);
  return spec !== undefined && fromEnvironment(spec, env) !== undefined;
}

/** Arguments by name, their words checked. @throws {@link StreamsError} `STREAMS_USAGE` */
export function readArguments(specs: readonly ArgumentSpec[], given: readonly RawValue[]): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  specs.forEach((spec, i) => {
    const value = given[i];
    for (const word of Array.isArray(value) ? value : [value]) {
      if (typeof word === 'string') checkWord(spec.name, word, spec.choices);
    }
    values[spec.name] = value;
  });
  return values;
}

function isOn(spec: OptionSpec, given: RawValue, env: Environment): boolean {
  if (given !== undefined) return given === true;
  const text = fromEnvironment(spec, env);
  if (text === undefined || text === 'false' || text === '0') return false;
  if (text === 'true' || text === '1') return true;
  throw new StreamsError('STREAMS_USAGE', `${spec.env} is ${JSON.stringify(text)}: expected true or false.`);
}

function readValueOf(spec: OptionSpec, given: RawValue, env: Environment): unknown {
  const fromVariable = given === undefined ? fromEnvironment(spec, env) : undefined;
  const source = fromVariable === undefined ? longFlagOf(spec) : `${spec.env}`;
  const text = given ?? fromVariable ?? spec.default;
  if (text === true && spec.flags.includes('[')) return '';
  if (text === undefined || typeof text === 'boolean') {
    if (spec.required) throw new StreamsError('STREAMS_USAGE', `${longFlagOf(spec)} is missing.`);
    return spec.repeatable ? [] : undefined;
  }
  if (!spec.repeatable) return parsed(spec, String(text), source);
  const texts = typeof text === 'string' ? text.split(',') : text;
  return texts.map((item) => parsed(spec, item, source));
}

function fromEnvironment(spec: OptionSpec, env: Environment): string | undefined {
  const text = spec.env === undefined ? undefined : env[spec.env];
  return text === '' ? undefined : text;
}

function parsed(spec: OptionSpec, text: string, source: string): unknown {
  checkWord(source, text, spec.choices);
  if (spec.parse === undefined) return text;
  try {
    return spec.parse(text);
  } catch (cause) {
    const message = `${source} ${JSON.stringify(text)}: ${messageOf(cause).replace(/\.$/, '')}.`;
    throw new StreamsError('STREAMS_USAGE', message, { cause });
  }
}

function checkWord(source: string, word: string, choices: readonly string[] | undefined): void {
  if (choices === undefined || choices.includes(word)) return;
  const message = `${source} ${JSON.stringify(word)}: expected one of ${choices.join(', ')}.${didYouMean(word, choices)}`;
  throw new StreamsError('STREAMS_USAGE', message);
}
