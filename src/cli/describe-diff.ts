import type { Broker } from '../clients/broker.ts';
import { StreamsError } from '../common/errors.ts';
import { committedTasks, formerPrograms, hasCommitted } from '../runtime/kafka/committed-tasks.ts';
import { changesOfGroup } from '../runtime/kafka/group-program.ts';
import { numberedInGroup } from '../runtime/kafka/program-numbers.ts';
import { type ProgramChanges, programChanges } from '../runtime/program-changes.ts';
import { descriptionOf } from '../runtime/saved-state.ts';
import { StateFolder } from '../runtime/state-folder.ts';
import { foremost, storesBehind } from '../topology/behind.ts';
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

/**
 * What a run of a program would do to an application on Kafka: as its tasks have committed, whoever runs it. Nothing is changed.
 *
 * @throws StreamsError `STREAMS_STATE_MISSING`; `STREAMS_STATE_INCOMPATIBLE` where sub-topologies became one, or several
 */
export async function changesOfApplication(
  broker: Broker,
  given: Topology,
  applicationId: string,
): Promise<ProgramChanges> {
  const place = { admin: broker.admin, applicationId };
  const { topology, plan } = await numberedInGroup(given, place);
  const tasks = await committedTasks(topology, plan.tasks, place);
  const former = await formerPrograms(topology, tasks, place);
  if (former.length === 0 && !tasks.some(({ said }) => said?.program !== undefined))
    throw new StreamsError(
      'STREAMS_STATE_MISSING',
      tasks.some(hasCommitted)
        ? `what application ${applicationId} has committed does not say what program it is of: an earlier version committed it. Let this version run that program first.`
        : `application ${applicationId} has committed nothing of the topics that this program reads. Give its name with --application-id, and its topic with --topic.`,
    );
  const { kept, added, removed, changed, refused, origins } = changesOfGroup(topology, tasks, applicationId, former);
  return { kept, added, removed, changed, refused, origins };
}

/** What makes the state one that a program goes on with. */
export interface Remedy {
  /** Stores to be named to `--rebuild`, of `replay` or of `run`. */
  readonly named: readonly string[];
  /** All that are made anew then: these, and those that they feed. */
  readonly stores: readonly string[];
}

/** The stores that have changed, for a state that can be made anew. */
export function remedyOf(topology: Topology, { changed }: ProgramChanges): Remedy {
  const named = foremost(topology, changed);
  return { named, stores: storesBehind(topology, named).stores };
}

/** One line a store: what is kept, new, gone, refused, and how the state goes on all the same. */
export function showChanges({ kept, added, removed, refused }: ProgramChanges, { named, stores }: Remedy): string {
  const options = named.map((store) => `--rebuild ${store}`).join(' ');
  const lines = [
    ...kept.map((store) => `keeps    ${store}`),
    ...added.map(
      (store) => `adds     ${store}: it starts empty, what was read before counts in it only with --rebuild ${store}`,
    ),
    ...removed.map((store) => `removes  ${store}: its rows leave the state`),
    ...refused.map((text) => `refuses  ${text}`),
    ...stores.map((store) => `rebuilds ${store}, with ${options}`),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** @throws StreamsError `STREAMS_STATE_INCOMPATIBLE` if a run of the program would be refused. */
export function refuseChanges({ refused }: ProgramChanges, place: string, { named }: Remedy): void {
  if (refused.length === 0) return;
  const options = named.map((store) => `--rebuild ${store}`).join(' ');
  const anew = options === '' ? '' : `Make what changes anew with ${options}, g`;
  throw new StreamsError(
    'STREAMS_STATE_INCOMPATIBLE',
    `${refused.length === 1 ? 'a store of this program is' : `${refused.length} stores of this program are`} not as in ${place}. ${anew === '' ? 'G' : anew}ive a store that changes another name, or take a new folder (on Kafka another application id).`,
  );
}
