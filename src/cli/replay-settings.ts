import { StreamsError } from '../common/errors.ts';
import type { StateSettings } from '../runtime/state-folder.ts';
import type { ApplicationSpec, ReplaySettings } from './application.ts';
import { durationMs, typedDuration } from './option-parsers.ts';

/** Settings as options give them; undefined where an option was left out. */
export type GivenSettings = { readonly [N in keyof ReplaySettings]?: ReplaySettings[N] | undefined };

/** How a setting is saved, and how it is told. */
interface SettingForm {
  /** Its key in the saved settings. */
  readonly saved: string;
  readonly flag: string;
  readonly text: (value: string | number) => string;
}

const forms: { readonly [N in keyof ReplaySettings]: SettingForm } = {
  zone: { saved: 'zone', flag: '--zone', text: (zone) => `--zone ${zone}` },
  graceMs: { saved: 'grace', flag: '--grace', text: (ms) => `--grace ${typedDuration(Number(ms))}` },
  partitions: { saved: 'partitions', flag: '--partitions', text: (n) => `--partitions ${n}` },
  from: { saved: 'from', flag: '--from', text: (date) => `--from ${date}` },
  to: { saved: 'to', flag: '--to', text: (date) => `--to ${date}` },
  topics: { saved: 'topics', flag: '--events', text: (n) => `${n} ${n === 1 ? 'folder' : 'folders'} of --events` },
};

/** Settings that may be others than before where all stores are made anew. */
export const changeableSettings: readonly (keyof ReplaySettings)[] = ['zone', 'graceMs', 'from', 'to'];

const names = Object.keys(forms) as (keyof ReplaySettings)[];

/**
 * The settings of a state: those it was made with, or for a new one those that are given, else the defaults.
 *
 * @param directory - The state folder, for the message.
 * @param changeable - Settings that may be others than the saved ones. @defaultValue none
 * @throws {@link StreamsError} `STREAMS_STATE_INCOMPATIBLE` - one is given and differs from the saved one.
 */
export function settingsOf(
  spec: ApplicationSpec,
  given: GivenSettings,
  saved: StateSettings | undefined,
  directory: string,
  changeable: readonly (keyof ReplaySettings)[] = [],
): ReplaySettings {
  const defaults = defaultsOf(spec);
  const entries = names.map((name) => {
    const asked = given[name];
    const before = saved?.[forms[name].saved];
    if (before === undefined) return [name, asked ?? defaults[name]];
    if (asked !== undefined && changeable.includes(name)) return [name, asked];
    if (asked !== undefined && asked !== before) throw refused(directory, forms[name], before, asked);
    return [name, before];
  });
  return Object.fromEntries(entries) as ReplaySettings;
}

/** Settings as they are saved with the state. */
export function savedForm(settings: ReplaySettings): StateSettings {
  return Object.fromEntries(names.map((name) => [forms[name].saved, settings[name]]));
}

function defaultsOf({ defaults }: ApplicationSpec): ReplaySettings {
  const graceMs = durationMs(defaults.grace);
  return { zone: defaults.zone, graceMs, partitions: 1, from: null, to: null, topics: 1 };
}

function refused(directory: string, form: SettingForm, before: StateSettings[string], asked: unknown): StreamsError {
  const { flag, text } = form;
  const was = before === null ? `without ${flag}` : `with ${text(before as string)}`;
  const remedy = flag === '--events' ? 'Give the same folders in the same order' : `Leave ${flag} out`;
  const anew = changeableSettings.some((name) => forms[name] === form) ? ', make all stores anew with --rebuild' : '';
  return new StreamsError(
    'STREAMS_STATE_INCOMPATIBLE',
    `${directory} was made ${was}, not with ${text(asked as string)}. ${remedy}${anew}, or replay into another folder with --state.`,
    { file: directory },
  );
}
