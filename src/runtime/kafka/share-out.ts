import type { JoinedMember, MemberAssignment, TopicPartition } from '../../clients/broker.ts';
import type { Topology } from '../../topology/topology.ts';
import { type TaskId, taskIdText } from '../task.ts';
import { assignTasks } from './assignor.ts';
import { conflict } from './group-program.ts';
import { type AssignmentData, decodeMemberData, encodeData, type MemberPart } from './member-data.ts';
import { noNames } from './task-metadata.ts';
import { programOf, programText, readProgram, type TaskProgram } from './task-program.ts';
import { inputsOf, storesOf, type TopicsPlan } from './topics-plan.ts';

/** What the leader of a group shares out. */
export interface SharedWork {
  /** Sub-topologies of the leader's own program, by their numbers. */
  readonly parts: Readonly<Record<number, MemberPart>>;
  readonly numStandbyReplicas: number;
}

/** What a member tells the leader of its program. */
export function memberParts(
  topology: Topology,
  applicationId: string,
  { partitionsOf }: TopicsPlan,
): Readonly<Record<number, MemberPart>> {
  return Object.fromEntries(
    topology.subTopologies.map((part) => [
      part.id,
      {
        topics: inputsOf(topology, applicationId, part).map(({ topic }) => topic),
        partitions: partitionsOf.get(part.id) ?? 0,
        stateful: storesOf(topology, part).length > 0,
        program: programText(programOf(topology, part), noNames),
      },
    ]),
  );
}

const programsOf = (parts: Readonly<Record<number, MemberPart>>): readonly TaskProgram[] =>
  Object.values(parts).map(({ program }) => readProgram(program).program);

/**
 * Gives each member its tasks, and tells all where all tasks are. While two programs run side by side each has tasks of its own beside those that both have: nobody gets one that its program lacks.
 */
export function shareOut(
  { parts, numStandbyReplicas }: SharedWork,
  members: readonly JoinedMember[],
): ReadonlyMap<string, MemberAssignment> {
  const known = members.map(({ memberId, userData }) => ({ memberId, data: decodeMemberData(userData) }));
  const refused = new Map(
    known.flatMap(({ memberId, data }) => {
      const why = conflict(programsOf(parts), programsOf(data.parts ?? parts));
      return why === undefined ? [] : [[memberId, why] as const];
    }),
  );
  const partsOf = new Map(
    known.map(({ memberId, data }) => [memberId, refused.has(memberId) ? {} : (data.parts ?? parts)]),
  );
  // Of two that know a sub-topology the leader is right: it has just looked at the topics.
  const all: Record<number, MemberPart> = Object.assign({}, ...partsOf.values(), parts);
  const tasks = Object.entries(all).flatMap(([id, { partitions }]): TaskId[] =>
    [...partsOf.values()].some((own) => id in own)
      ? Array.from({ length: partitions }, (_, partition) => ({ subTopology: Number(id), partition }))
      : [],
  );
  const shares = assignTasks(
    tasks,
    known.map(({ memberId, data }) => ({
      memberId,
      processId: data.hostProcess ?? data.processId,
      tasks: new Map(Object.entries(data.tasks).map(([id, reached]) => [id, reached ?? Number.POSITIVE_INFINITY])),
      subTopologies: new Set(Object.keys(partsOf.get(memberId)!).map(Number)),
    })),
    numStandbyReplicas,
    ({ subTopology }) => all[subTopology]!.stateful,
  );
  const hosts = known.map(({ memberId, data }) => ({
    processId: data.processId,
    ...(data.hostProcess === undefined ? {} : { hostProcess: data.hostProcess }),
    endpoint: data.endpoint,
    ...shares.get(memberId)!,
  }));
  const shutdown = known.some(({ data }) => data.shutdown);
  const ids = new Map(tasks.map((task) => [taskIdText(task), task]));
  return new Map(
    [...shares].map(([memberId, { active, standby }]) => {
      const why = refused.get(memberId);
      const data: AssignmentData = { active, standby, hosts, shutdown, ...(why === undefined ? {} : { refused: why }) };
      const partitions = active.flatMap((taskId): readonly TopicPartition[] => {
        const { subTopology, partition } = ids.get(taskId)!;
        return partsOf.get(memberId)![subTopology]!.topics.map((topic) => ({ topic, partition }));
      });
      return [memberId, { partitions, userData: encodeData(data) }];
    }),
  );
}
