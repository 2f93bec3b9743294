import type { DefaultContext, Runtime, SettingName, SettingValues } from './settings.ts';
import { settingNames, settings } from './settings.ts';

/** Fills in what is not given. A default may depend on other settings, given or not. */
export function withDefaults(given: Partial<SettingValues>, runtime: Runtime): SettingValues {
  const values = { ...given };
  const context: DefaultContext = {
    runtime,
    get: (name) => {
      if (values[name] === undefined) values[name] = settings[name].defaultOf(context);
      return values[name] as SettingValues[typeof name];
    },
  };
  for (const name of settingNames) context.get(name);
  return values as SettingValues;
}

const byRuntime: Readonly<Record<Runtime, SettingValues>> = {
  embedded: withDefaults({}, 'embedded'),
  kafka: withDefaults({}, 'kafka'),
};

/** The default of a setting, which the options of a program have too. */
export function defaultOf<N extends SettingName>(name: N, runtime: Runtime = 'kafka'): SettingValues[N] {
  return byRuntime[runtime][name];
}
