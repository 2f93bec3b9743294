import type { Origin } from './config.ts';
import { Config } from './config.ts';
import { withDefaults } from './defaults.ts';
import { readValue } from './load-config.ts';
import type { Runtime, SettingName, SettingValues } from './settings.ts';
import { settingNames } from './settings.ts';

/** `commit.interval.ms` as a program writes it: `commitIntervalMs`. */
export type OptionName<N extends string> = N extends `${infer Head}.${infer Tail}`
  ? `${Head}${Capitalize<OptionName<Tail>>}`
  : N;

/** All settings as the options object of a program. */
export type ConfigOptions = { readonly [N in SettingName as OptionName<N>]?: SettingValues[N] };

const fromProgram: Origin = { source: 'program', where: '' };

/**
 * The configuration that a program gives itself, without looking at flags, environment or files.
 *
 * @example
 * ```ts
 * const config = configOf({ applicationId: 'counts', commitIntervalMs: 20 });
 * config.get('commit.interval.ms'); // 20
 * ```
 * @throws TypeError for an option that does not exist. {@link StreamsError} `STREAMS_CONFIG` for a bad value.
 */
export function configOf(options: ConfigOptions, runtime: Runtime = 'embedded'): Config {
  const names = new Map(settingNames.map((name) => [optionNameOf(name), name]));
  const values: Partial<Record<SettingName, unknown>> = {};
  const origins = new Map<SettingName, Origin>();
  for (const [option, value] of Object.entries(options)) {
    const name = names.get(option);
    if (name === undefined) throw new TypeError(`unknown option ${option}`);
    if (value === undefined) continue;
    values[name] = readValue(name, String(value), fromProgram);
    origins.set(name, fromProgram);
  }
  return new Config(withDefaults(values as Partial<SettingValues>, runtime), origins);
}

function optionNameOf(name: string): string {
  return name.replace(/\.(.)/g, (_, letter: string) => letter.toUpperCase());
}
