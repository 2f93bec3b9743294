import type { ClientPrefix, SettingName, SettingValues } from './settings.ts';
import { isClientSetting, settingNames } from './settings.ts';

/** Where a value came from. */
export interface Origin {
  readonly source: 'flag' | 'environment' | 'file' | 'program' | 'default';
  /** The flag, the variable or the file; empty for defaults and values given by a program. */
  readonly where: string;
}

/** One line of a printed configuration. */
export interface ConfigEntry {
  readonly name: string;
  /** The value as text; `(hidden)` for one that looks like a secret, empty when unset. */
  readonly text: string;
  readonly origin: Origin;
}

/** A value handed on to a client, with its origin. */
export interface ClientSetting {
  readonly text: string;
  readonly origin: Origin;
}

/** Names of settings that are not shown, and not given on a command line. */
export const secret: RegExp = /password|secret|jaas|token|credential|private\.key|privatekey|\bkey$/i;

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

/** All settings, validated, each with the place it came from. Made by `loadConfig` or `configOf`; never changes. */
export class Config {
  readonly #values: SettingValues;
  readonly #origins: ReadonlyMap<SettingName, Origin>;
  readonly #clients: ReadonlyMap<string, ClientSetting>;

  constructor(
    values: SettingValues,
    origins: ReadonlyMap<SettingName, Origin>,
    clients: ReadonlyMap<string, ClientSetting> = new Map(),
  ) {
    this.#values = values;
    this.#origins = origins;
    this.#clients = clients;
  }

  /** The value of a setting: `config.get('commit.interval.ms')` is a number of ms. */
  get<N extends SettingName>(name: N): SettingValues[N] {
    return this.#values[name];
  }

  /** Where a value came from; `default` for one that nobody set. */
  origin(name: string): Origin {
    const origin = isClientSetting(name) ? this.#clients.get(name)?.origin : this.#origins.get(name as SettingName);
    return origin ?? { source: 'default', where: '' };
  }

  /** Settings for one of the broker's clients, without the prefix: `consumer.max.wait.ms` is under `max.wait.ms` of `consumer.`. */
  client(prefix: ClientPrefix): Readonly<Record<string, string>> {
    const own: Record<string, string> = {};
    for (const [name, { text }] of this.#clients) {
      if (name.startsWith(prefix)) own[name.slice(prefix.length)] = text;
    }
    return own;
  }

  /** Every setting in the order of its name, then those for the clients. Secrets are hidden. */
  entries(): readonly ConfigEntry[] {
    const own = settingNames.map((name) => ({
      name,
      text:
        secret.test(name) && this.#values[name] !== undefined && !name.endsWith('.file')
          ? '(hidden)'
          : String(this.#values[name] ?? ''),
      origin: this.origin(name),
    }));
    const clients = [...this.#clients].sort(([a], [b]) => (a < b ? -1 : 1));
    const passed = clients.map(([name, { text, origin }]) => ({
      name,
      text: secret.test(name) ? '(hidden)' : text,
      origin,
    }));
    return [...own, ...passed];
  }
}
