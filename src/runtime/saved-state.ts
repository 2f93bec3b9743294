import { StreamsError } from '../common/errors.ts';
import { rebuildOption } from '../common/remedies.ts';
import { foremost } from '../topology/behind.ts';
import type { Topology } from '../topology/topology.ts';
import { type ProgramChanges, programChanges } from './program-changes.ts';
import { type SavedState, type StateSettings, stateFormat } from './state-folder.ts';

/** A topology as it is saved with its state. */
export function descriptionOf(topology: Topology): string {
  const description = topology.describe();
  return `${description.toString()}${description.details()}`;
}

/** The state of a program that has none yet. */
export function newState(topology: Topology, applicationId: string, settings: StateSettings): SavedState {
  return {
    format: stateFormat,
    applicationId,
    topology: descriptionOf(topology),
    settings,
    stores: storeNumbers(topology),
    final: false,
    totals: { commits: 0, committedRows: 0, commitSeconds: 0 },
  };
}

/**
 * Refuses a state made with other settings.
 *
 * @throws StreamsError `STREAMS_STATE_INCOMPATIBLE` that names what differs, with both values.
 */
export function checkSettings(saved: SavedState, settings: StateSettings, directory: string): void {
  for (const [name, value] of Object.entries(settings)) {
    const before = saved.settings[name];
    if (before !== undefined && before !== value)
      throw new StreamsError(
        'STREAMS_STATE_INCOMPATIBLE',
        `${directory} was made with ${name} ${shownSetting(name, before)}, not ${shownSetting(name, value)}. Leave the option out, or take a new folder (on Kafka another application id).`,
      );
  }
}

/** As it is typed: durations are kept in ms. */
function shownSetting(name: string, value: string | number | boolean | null): string {
  const hours = Number(value) / 3_600_000;
  return name === 'grace' && Number.isInteger(hours) ? `${hours}h` : JSON.stringify(value);
}

/** A state as a program goes on with it. */
export interface ContinuedState {
  /** To be saved with the next commit. */
  readonly state: SavedState;
  /** What the program changes; undefined: it is the one that made the state. */
  readonly changes: ProgramChanges | undefined;
}

/**
 * A state for a program that may be another than the one that made it: see {@link programChanges}. Stores that the program does not have any more leave the state, if it has any other of
 * them: a program that has none was given the folder by mistake.
 *
 * @param rebuilt - Stores that are made anew, whatever they were: they get new numbers. Undefined where none can be.
 * @throws StreamsError `STREAMS_STATE_INCOMPATIBLE` that names each store that has changed, and how.
 */
export function continued(
  saved: SavedState,
  topology: Topology,
  directory: string,
  rebuilt?: readonly string[],
): ContinuedState {
  const description = descriptionOf(topology);
  // From the next commit on: what is written from then on an earlier version cannot read.
  if (saved.format !== stateFormat) return continued({ ...saved, format: stateFormat }, topology, directory, rebuilt);
  if (saved.topology === description && (rebuilt ?? []).length === 0) return { state: saved, changes: undefined };
  const changes = programChanges(saved.topology, description);
  const refused = changes.refused.filter((_, i) => rebuilt?.includes(changes.changed[i]!) !== true);
  if (refused.length > 0)
    throw new StreamsError(
      'STREAMS_STATE_INCOMPATIBLE',
      `${directory} was made by a program of other stores: ${refused.join('; ')}. ${remedyOf(changes, topology, rebuilt)}`,
      { store: changes.changed.find((name) => rebuilt?.includes(name) !== true)! },
    );
  if (changes.kept.length + changes.changed.length === 0 && changes.removed.length > 0)
    throw new StreamsError(
      'STREAMS_STATE_INCOMPATIBLE',
      `${directory} was made by another program: this one has none of its stores (${changes.removed.join(', ')}). Give each program its own folder, or replay into a new one.`,
    );
  const left = [...changes.removed, ...(rebuilt ?? [])].filter((name) => name in saved.stores);
  const retired = [...(saved.retired ?? []), ...left.map((name) => saved.stores[name]!)];
  const kept = Object.fromEntries(Object.entries(saved.stores).filter(([name]) => !left.includes(name)));
  const state = { ...saved, topology: description, stores: storeNumbers(topology, kept, retired) };
  return { state: retired.length === 0 ? state : { ...state, retired }, changes };
}

/** What to do about stores that have changed. */
function remedyOf({ changed }: ProgramChanges, topology: Topology, rebuilt: readonly string[] | undefined): string {
  if (rebuilt === undefined)
    return 'Give a store that changes another name, or run the program under another application id, with another folder.';
  const left = changed.filter((name) => !rebuilt.includes(name));
  const otherwise = 'ive a store that changes another name, or take a new folder.';
  const named = foremost(topology, left);
  if (named.length === 0) return `G${otherwise}`;
  return `${rebuildOption(named, 'rebuildStores')} makes them anew from the input, and weir describe --diff says all that the program changes. Or g${otherwise}`;
}

/** Whose a copy on Kafka is to be. */
export interface CopyOwner {
  readonly topology: Topology;
  readonly applicationId: string;
  readonly settings: StateSettings;
  /**
   * True: the group vouches for the stores of the program. Those that the copy has otherwise were made anew since, and leave it; so does what it says of settings.
   * @defaultValue false: such a copy is refused
   */
  readonly vouched?: boolean;
}

/**
 * The state of a folder that an instance on Kafka has, as the program goes on with it. Of how many partitions the application is made its topics say, and refuse what does not fit.
 *
 * @param saved - Undefined: of a new folder.
 * @throws StreamsError `STREAMS_STATE_INCOMPATIBLE`, with the `store` where that has changed
 */
export function stateOnKafka(
  saved: SavedState | undefined,
  { topology, applicationId, settings, vouched = false }: CopyOwner,
  directory: string,
): SavedState {
  if (saved === undefined) return newState(topology, applicationId, settings);
  if (saved.applicationId !== applicationId)
    throw new StreamsError(
      'STREAMS_STATE_INCOMPATIBLE',
      `${directory} belongs to application ${saved.applicationId}, not to ${applicationId}. Give each application its own state folder.`,
    );
  const { partitions: _, ...shared } = settings;
  if (vouched) {
    const { changed } = programChanges(saved.topology, descriptionOf(topology));
    const { state } = continued(saved, topology, directory, changed);
    return { ...state, settings: { ...saved.settings, ...shared } };
  }
  const { state } = continued(saved, topology, directory);
  checkSettings(saved, shared, directory);
  return state;
}

/** A number for each store: those it had, and the next free ones for new stores. Rows of retired numbers may still be there. */
export function storeNumbers(
  topology: Topology,
  saved: Readonly<Record<string, number>> = {},
  retired: readonly number[] = [],
): Readonly<Record<string, number>> {
  const numbers: Record<string, number> = { ...saved };
  let next = Math.max(-1, ...Object.values(saved), ...retired) + 1;
  for (const { name } of [...topology.stores, ...topology.globalTables.map((table) => table.store)]) {
    if (numbers[name] === undefined) numbers[name] = next++;
  }
  return numbers;
}
