import { StreamsError } from '../common/errors.ts';
import type { Config } from '../config/config.ts';
import type { SettingName } from '../config/settings.ts';
import { tokenSettings } from './http-token.ts';
import { brokerSettings } from './open-broker.ts';

const statesOption: {
  readonly flags: '--state <dir>';
  readonly description: string;
  readonly repeatable: true;
  readonly parse: (text: string) => string;
} = {
  flags: '--state <dir>',
  description:
    'folder of the state; of an application on Kafka the folders of all instances (default: the setting state.dir)',
  repeatable: true,
  parse: (text) => notEmpty(text),
};

const urlOption: {
  readonly flags: '--url <url>';
  readonly description: string;
  readonly parse: (text: string) => string;
} = {
  flags: '--url <url>',
  description: 'ask the application that runs at this address, such as http://127.0.0.1:8080',
  parse: httpUrl,
};

/** `--brokers`, for commands that ask brokers. */
export const brokersOption: {
  readonly flags: '--brokers <list>';
  readonly description: string;
  readonly setting: 'bootstrap.servers';
} = {
  flags: '--brokers <list>',
  description: 'brokers to ask first, such as kafka-1:9092,kafka-2:9092',
  setting: 'bootstrap.servers',
};

/** `--application-id`, beside {@link brokersOption}. */
export const applicationIdOption: {
  readonly flags: '--application-id <id>';
  readonly description: string;
  readonly setting: 'application.id';
} = { flags: '--application-id <id>', description: 'name of the application on Kafka', setting: 'application.id' };

/** Where the results are, for commands that read them. */
export const sourceOptions: readonly [
  typeof statesOption,
  typeof urlOption,
  typeof brokersOption,
  typeof applicationIdOption,
] = [
  statesOption,
  urlOption,
  { ...brokersOption, description: 'read the changelogs of --application-id at these brokers' },
  applicationIdOption,
];

const urlSettings: readonly SettingName[] = ['state.dir', ...tokenSettings];
const changelogSettings: readonly SettingName[] = ['state.dir', ...brokerSettings];

/** Settings of those who read results, wherever they are. */
export const allSourceSettings: readonly SettingName[] = [...urlSettings, ...brokerSettings];

/** Settings of those who read results where the options say. @throws {@link StreamsError} as {@link sourceRequestOf} */
export function sourceSettings(options: SourceValues, config: Config): readonly SettingName[] {
  const { kind } = sourceRequestOf(options, config);
  return kind === 'url' ? urlSettings : kind === 'changelogs' ? changelogSettings : ['state.dir'];
}

/** Where results are to be read. */
export type SourceRequest =
  | { readonly kind: 'folders'; readonly directories: readonly string[] }
  | { readonly kind: 'url'; readonly url: string }
  /** Those of `application.id` at `bootstrap.servers`. */
  | { readonly kind: 'changelogs' };

/** Values of {@link sourceOptions}. */
export interface SourceValues {
  readonly state: readonly string[];
  readonly url: string | undefined;
}

/**
 * What the options ask for. Brokers that are only in the environment or in a file are no wish to read from them.
 *
 * @throws {@link StreamsError} `STREAMS_USAGE` - several places are given, or an application without its brokers.
 */
export function sourceRequestOf({ state, url }: SourceValues, config: Config): SourceRequest {
  const isFlag = (name: SettingName): boolean => config.origin(name).source === 'flag';
  if (state.length > 0 && isFlag('state.dir'))
    throw usage('--state and --set state.dir are the same setting: give one of them.');
  const folders = state.length > 0 || isFlag('state.dir');
  const brokers = isFlag('bootstrap.servers');
  if (Number(folders) + Number(url !== undefined) + Number(brokers) > 1)
    throw usage('--state, --url and --brokers each say where the results are: give one of them.');
  if (brokers) return { kind: 'changelogs' };
  if (isFlag('application.id'))
    throw usage('--application-id says whose changelogs are read: give --brokers too, or leave it out.');
  if (url !== undefined) return { kind: 'url', url };
  return { kind: 'folders', directories: state.length > 0 ? state : [config.get('state.dir')] };
}

function notEmpty(text: string): string {
  if (text !== '') return text;
  throw new Error('expected a path');
}

function httpUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url === undefined ||
    !/^https?:$/.test(url.protocol) ||
    `${url.search}${url.hash}${url.username}${url.password}` !== ''
  )
    throw new Error('expected an address such as http://127.0.0.1:8080');
  return url.href.replace(/\/$/, '');
}

function usage(message: string): StreamsError {
  return new StreamsError('STREAMS_USAGE', message);
}
