import { StreamsError } from '../../common/errors.ts';
import type { Topology } from '../../topology/topology.ts';
import { type CommittedPlace, committedTasks } from './committed-tasks.ts';
import { changesOfGroup } from './group-program.ts';
import { changelogTopic } from './internal-names.ts';

/**
 * Whether a copy of the state that was refused for a store that has changed is only out of date: the group has committed with the store as the program has it, so it was made anew since, and its changelog
 * has it whole.
 */
export async function isOutdated(
  error: unknown,
  topology: Topology,
  { admin, applicationId }: CommittedPlace,
): Promise<boolean> {
  if (!StreamsError.is(error) || error.code !== 'STREAMS_STATE_INCOMPATIBLE') return false;
  const { store } = error.details;
  const part = topology.subTopologies.find(({ stores }) => store !== undefined && stores.includes(store));
  if (store === undefined || part === undefined) return false;
  const changelog = changelogTopic(applicationId, store);
  const partitions = (await admin.partitionCounts([changelog])).get(changelog) ?? 0;
  const ids = Array.from({ length: partitions }, (_, partition) => ({ subTopology: part.id, partition }));
  const tasks = await committedTasks(topology, ids, { admin, applicationId });
  return changesOfGroup(topology, tasks, applicationId).kept.includes(store);
}
