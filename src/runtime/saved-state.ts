import { StreamsError } from '../common/errors.ts';
import type { Topology } from '../topology/topology.ts';
import type { SavedState, StateSettings } from './state-folder.ts';

/**
 * Refuses a state made with other settings or another topology.
 *
 * @throws StreamsError `STREAMS_STATE_INCOMPATIBLE` that names what differs, with both values.
 */
export function checkSaved(saved: SavedState, settings: StateSettings, topology: string, directory: string): void {
  for (const [name, value] of Object.entries(settings)) {
    const before = saved.settings[name];
    if (before !== undefined && before !== value)
      throw new StreamsError(
        'STREAMS_STATE_INCOMPATIBLE',
        `${directory} was made with ${name} ${JSON.stringify(before)}, not ${JSON.stringify(value)}. Leave the option out, or replay into a new folder.`,
      );
  }
  if (saved.topology !== topology)
    throw new StreamsError(
      'STREAMS_STATE_INCOMPATIBLE',
      `${directory} was made by another topology (first difference: ${firstDifference(saved.topology, topology)}). Replay into a new folder.`,
    );
}

function firstDifference(before: string, after: string): string {
  const old = before.split('\n');
  const now = after.split('\n');
  const at = old.findIndex((line, index) => line !== now[index]);
  const index = at < 0 ? old.length : at;
  return `"${(old[index] ?? '').trim()}" is now "${(now[index] ?? '').trim()}"`;
}

/** The settings that a copy of an application on Kafka must share: of how many partitions it is made its topics say, and refuse what does not fit. */
export function settingsOnKafka(settings: StateSettings): StateSettings {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => name !== 'partitions'));
}

/** A number for each store: those it had, and the next free ones for new stores. */
export function storeNumbers(
  topology: Topology,
  saved: Readonly<Record<string, number>> = {},
): Readonly<Record<string, number>> {
  const numbers: Record<string, number> = { ...saved };
  let next = Math.max(-1, ...Object.values(saved)) + 1;
  for (const { name } of [...topology.stores, ...topology.globalTables.map((table) => table.store)]) {
    if (numbers[name] === undefined) numbers[name] = next++;
  }
  return numbers;
}
