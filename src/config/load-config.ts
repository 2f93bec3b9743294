import { StreamsError } from '../common/errors.ts';
import type { Origin } from './config.ts';
import { Config, originText } from './config.ts';
import { withDefaults } from './defaults.ts';
import { didYouMean, nearestName } from './nearest.ts';
import { readConfigFile } from './read-config-file.ts';
import type { Runtime, SettingName, SettingValues } from './settings.ts';
import { environmentNameOf, isSettingName, settingNames, settings } from './settings.ts';

/** Variables that start like settings but are none. A program may know more of them. */
export const otherEnvironmentNames: readonly string[] = ['WEIR_CONFIG', 'WEIR_DEBUG', 'WEIR_LOG_LEVEL'];

/** A setting that has an option of its own, such as `--state DIR` for `state.dir`. */
export interface OptionValue {
  /** The option as typed: `--state`. */
  readonly flag: string;
  readonly text: string;
}

/** Where to look for settings. */
export interface ConfigSources {
  /** `--set NAME=VALUE`, by name. */
  readonly flags?: Readonly<Record<string, string>>;
  /** Settings given by options of their own. They rank with `flags`; both for one name are refused. */
  readonly options?: ReadonlyMap<SettingName, OptionValue>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Further `WEIR_` variables that are no settings. */
  readonly knownEnvironment?: Iterable<string>;
  /** Path of the file of `--config`. */
  readonly file?: string | undefined;
  /** Chooses between defaults. @defaultValue 'embedded' */
  readonly runtime?: Runtime;
  /** Default of `application.id`. @defaultValue 'weir' */
  readonly applicationId?: string | undefined;
}

interface Given {
  readonly name: string;
  readonly text: string;
  readonly origin: Origin;
}

/**
 * Reads and checks all settings: flags before the environment before the file before defaults.
 *
 * Every name and every value is checked, those too that a higher source hides. An empty environment variable counts as not set.
 *
 * @throws {@link StreamsError} `STREAMS_CONFIG` for an unknown name (the message has the nearest known one), for a bad value (the message has
 * the setting, where it came from and what was expected) and for a file that cannot be read.
 */
export function loadConfig(sources: ConfigSources = {}): Config {
  const given = [
    ...fromFile(sources.file),
    ...fromEnvironment(sources.env ?? {}, sources.knownEnvironment ?? []),
    ...fromFlags(sources.flags ?? {}, sources.options ?? new Map()),
  ];
  const values: Partial<Record<SettingName, unknown>> = {};
  const origins = new Map<SettingName, Origin>();
  for (const { name, text, origin } of given) {
    if (!isSettingName(name)) throw unknownSetting(name, origin);
    if (origin.source === 'flag' && settings[name].secret) throw secretOnCommandLine(name);
    values[name] = readValue(name, text, origin);
    origins.set(name, origin);
  }
  const filled = withDefaults(values as Partial<SettingValues>, sources.runtime ?? 'embedded', sources.applicationId);
  const heartbeat = origins.get('heartbeat.interval.ms');
  if (heartbeat !== undefined) refuseRareHeartbeats(filled, heartbeat);
  refuseDoubledSecrets(origins);
  return new Config(filled, origins);
}

/** Between two heartbeats that are so far apart the broker takes the instance for dead. */
function refuseRareHeartbeats(values: SettingValues, origin: Origin): void {
  const heartbeatMs = values['heartbeat.interval.ms'];
  const sessionMs = values['session.timeout.ms'];
  if (heartbeatMs < sessionMs) return;
  throw new StreamsError(
    'STREAMS_CONFIG',
    `heartbeat.interval.ms (${originText(origin)}) is ${heartbeatMs}: expected less than session.timeout.ms, which is ${sessionMs}, and at most a third of it.`,
  );
}

/** One of the two would hide the other. */
function refuseDoubledSecrets(origins: ReadonlyMap<SettingName, Origin>): void {
  for (const [name, origin] of origins) {
    const inFile = `${name}.file` as SettingName;
    const other = settings[name].secret ? origins.get(inFile) : undefined;
    if (other === undefined) continue;
    throw new StreamsError(
      'STREAMS_CONFIG',
      `${name} (${originText(origin)}) and ${inFile} (${originText(other)}) both say the same: give one of them.`,
    );
  }
}

function secretOnCommandLine(name: SettingName): StreamsError {
  return new StreamsError(
    'STREAMS_CONFIG',
    `${name} is a secret, and a command line is seen by others. Give ${environmentNameOf(name)}, or ${name}.file with the path of a file.`,
  );
}

/** Checks one value. @throws {@link StreamsError} `STREAMS_CONFIG` */
export function readValue<N extends SettingName>(name: N, text: string, origin: Origin): SettingValues[N] {
  const { type } = settings[name];
  const value = type.read(text);
  if (value !== undefined) return value;
  const message = `${name} (${originText(origin)}) is ${JSON.stringify(text)}: expected ${type.expected}.`;
  throw new StreamsError('STREAMS_CONFIG', message);
}

function fromFile(file: string | undefined): Given[] {
  if (file === undefined) return [];
  const origin: Origin = { source: 'file', where: file };
  return [...readConfigFile(file)].map(([name, text]) => ({ name, text, origin }));
}

function fromFlags(flags: Readonly<Record<string, string>>, options: ReadonlyMap<SettingName, OptionValue>): Given[] {
  const given: Given[] = Object.entries(flags).map(([name, text]) => ({
    name,
    text,
    origin: { source: 'flag', where: '--set' },
  }));
  for (const [name, { flag, text }] of options) {
    if (Object.hasOwn(flags, name)) {
      throw new StreamsError('STREAMS_USAGE', `${flag} and --set ${name} are the same setting: give one of them.`);
    }
    given.push({ name, text, origin: { source: 'flag', where: flag } });
  }
  return given;
}

function fromEnvironment(env: Readonly<Record<string, string | undefined>>, knownByProgram: Iterable<string>): Given[] {
  const others = new Set([...otherEnvironmentNames, ...knownByProgram]);
  const given: Given[] = [];
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith('WEIR_') || text === undefined || text === '') continue;
    const name = settingsByVariable.get(variable);
    if (name !== undefined) given.push({ name, text, origin: { source: 'environment', where: variable } });
    else if (!others.has(variable)) throw unknownVariable(variable, others);
  }
  return given;
}

const settingsByVariable: ReadonlyMap<string, SettingName> = new Map(
  settingNames.map((name) => [environmentNameOf(name), name]),
);

function unknownVariable(variable: string, others: Iterable<string>): StreamsError {
  const hint = didYouMean(variable, [...settingsByVariable.keys(), ...others]);
  return new StreamsError('STREAMS_CONFIG', `unknown environment variable ${variable}.${hint || allOfThem}`);
}

function unknownSetting(name: string, origin: Origin): StreamsError {
  const message = `unknown setting ${JSON.stringify(name)} (${originText(origin)}).${nearestSetting(name)}`;
  return new StreamsError('STREAMS_CONFIG', message);
}

const allOfThem = ' config print lists all settings.';

/** Leads to the nearest setting, found by its own name or by the one that Kafka Streams once gave it. */
function nearestSetting(name: string): string {
  const known = new Map<string, string>();
  for (const own of settingNames) {
    known.set(own, own);
    for (const former of settings[own].formerly ?? []) known.set(former, own);
  }
  const nearest = nearestName(name, known.keys());
  return nearest === undefined ? allOfThem : ` Did you mean ${known.get(nearest)}?`;
}
