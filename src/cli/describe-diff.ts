import { StreamsError } from '../common/errors.ts';
import { type ProgramChanges, programChanges } from '../runtime/program-changes.ts';
import { descriptionOf } from '../runtime/saved-state.ts';
import { StateFolder } from '../runtime/state-folder.ts';
import type { Topology } from '../topology/topology.ts';

/**
 * What a run of a program would do to the state of a replay. Nothing is changed.
 *
 * @throws StreamsError `STREAMS_STATE_MISSING`, `STREAMS_STATE_STORE_LOCKED`
 */
export async function changesOfState(directory: string, topology: Topology): Promise<ProgramChanges> {
  const folder = await StateFolder.open(directory, { create: false });
  try {
    return programChanges(folder.saved!.topology, descriptionOf(topology));
  } finally {
    await folder.close();
  }
}

/** One line a store: what is kept, new, gone, refused. */
export function showChanges({ kept, added, removed, refused }: ProgramChanges): string {
  const lines = [
    ...kept.map((store) => `keeps    ${store}`),
    ...added.map((store) => `adds     ${store}: it starts empty, what was read before does not count in it`),
    ...removed.map((store) => `removes  ${store}: the next run deletes its rows`),
    ...refused.map((text) => `refuses  ${text}`),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** @throws StreamsError `STREAMS_STATE_INCOMPATIBLE` if a run of the program would be refused. */
export function refuseChanges({ refused }: ProgramChanges, directory: string): void {
  if (refused.length === 0) return;
  throw new StreamsError(
    'STREAMS_STATE_INCOMPATIBLE',
    `${refused.length === 1 ? 'a store of this program is' : `${refused.length} stores of this program are`} not as in ${directory}. Give a store that changes another name, or replay into a new folder.`,
  );
}
