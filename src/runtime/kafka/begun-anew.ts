import type { Topology } from '../../topology/topology.ts';
import { taskIdText } from '../task.ts';
import { type CommittedPlace, type CommittedTask, hasCommitted } from './committed-tasks.ts';

/** A task that begins anew. */
export interface BegunAnew {
  /** What the group had committed of it: once that is something else, somebody has begun it. */
  readonly committed: CommittedTask['committed'];
  /** Where its inputs begin, by topic. */
  readonly begins: ReadonlyMap<string, number>;
}

/**
 * Tasks of sub-topologies that the application did without until now, with where their inputs begin: what their stores hold, and what lies before in internal topics, is of a time long ago. Those
 * that come back begin where internal topics end; new ones at the begin of theirs.
 *
 * Where any task that has committed still has the sub-topology, two programs run side by side, and it goes on.
 */
export async function begunAnew(
  topology: Topology,
  tasks: readonly CommittedTask[],
  { admin }: CommittedPlace,
): Promise<ReadonlyMap<string, BegunAnew>> {
  const programs = tasks.flatMap(({ said }) => said?.program ?? []);
  const did = (part: number): boolean => programs.some((program) => program.part !== part && part in program.parts);
  const without = (part: number): boolean => programs.some((program) => program.part !== part);
  const parts = topology.subTopologies.map(({ id }) => id).filter((id) => without(id) && !did(id));
  // What reads topics of the user's alone has missed nothing: it goes on from its positions.
  const anew = tasks.filter(
    (task) =>
      parts.includes(task.id.subTopology) && (!hasCommitted(task) || task.inputs.some(({ internal }) => internal)),
  );
  const begun = new Map<string, BegunAnew>();
  for (const task of anew) {
    const internal = hasCommitted(task) ? task.inputs.filter((input) => input.internal) : [];
    const places = internal.map(({ topic }) => ({ topic, partition: task.id.partition }));
    const ends = places.length === 0 ? [] : await admin.offsets(places, 'latest');
    const begins = new Map(places.map(({ topic }, i) => [topic, ends[i]!]));
    begun.set(taskIdText(task.id), { committed: task.committed, begins });
  }
  return begun;
}
