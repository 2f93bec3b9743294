import type { DefaultContext, Runtime, SettingName, SettingValues } from './settings.ts';
import { settingNames, settings } from './settings.ts';

/** Fills in what is not given. A default may depend on other settings, given or not. */
export function withDefaults(
  given: Partial<SettingValues>,
  runtime: Runtime,
  applicationId?: string | undefined,
): SettingValues {
  const values = { ...given };
  const context: DefaultContext = {
    runtime,
    applicationId,
    get: (name) => {
      if (values[name] === undefined) values[name] = settings[name].defaultOf(context);
      return values[name] as SettingValues[typeof name];
    },
  };
  for (const name of settingNames) context.get(name);
  return values as SettingValues;
}

/**
 * The default of a setting, which the options of a program have too.
 *
 * @param given - Settings that it may depend on, as far as they are given.
 */
export function defaultOf<N extends SettingName>(
  name: N,
  given: Partial<SettingValues> = {},
  runtime: Runtime = 'kafka',
): SettingValues[N] {
  const context: DefaultContext = {
    runtime,
    get: (other) => given[other] ?? (settings[other].defaultOf(context) as SettingValues[typeof other]),
  };
  return settings[name].defaultOf(context) as SettingValues[N];
}
