import type { SettingName, SettingValues } from './settings.ts';
import { settingNames, settings } from './settings.ts';

/** Where a value came from. */
export interface Origin {
  readonly source: 'flag' | 'environment' | 'file' | 'program' | 'default';
  /** The flag, the variable or the file; empty for defaults and values given by a program. */
  readonly where: string;
}

/** One line of a printed configuration. */
export interface ConfigEntry {
  readonly name: string;
  /** The value as text; `(hidden)` for a secret, empty when unset. */
  readonly text: string;
  readonly origin: Origin;
}

/** The origin in words: `--set`, `environment variable WEIR_STATE_DIR`, `file grid.yaml`, `default`. */
export function originText(origin: Origin): string {
  switch (origin.source) {
    case 'flag':
      return origin.where;
    case 'environment':
      return `environment variable ${origin.where}`;
    case 'file':
      return `file ${origin.where}`;
    default:
      return origin.source;
  }
}

/** All settings, validated, each with the place it came from. Made by `loadConfig`; never changes. */
export class Config {
  readonly #values: SettingValues;
  readonly #origins: ReadonlyMap<SettingName, Origin>;

  constructor(values: SettingValues, origins: ReadonlyMap<SettingName, Origin>) {
    this.#values = values;
    this.#origins = origins;
  }

  /** The value of a setting: `config.get('commit.interval.ms')` is a number of ms. */
  get<N extends SettingName>(name: N): SettingValues[N] {
    return this.#values[name];
  }

  /** Where a value came from; `default` for one that nobody set. */
  origin(name: SettingName): Origin {
    return this.#origins.get(name) ?? { source: 'default', where: '' };
  }

  /** Every setting in the order of its name. Secrets are hidden. */
  entries(): readonly ConfigEntry[] {
    return settingNames.map((name) => {
      const value = this.#values[name];
      const hidden = settings[name].secret === true && value !== undefined;
      return { name, text: hidden ? '(hidden)' : String(value ?? ''), origin: this.origin(name) };
    });
  }
}
