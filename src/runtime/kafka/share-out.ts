import type { JoinedMember, MemberAssignment, TopicPartition } from '../../clients/broker.ts';
import type { Topology } from '../../topology/topology.ts';
import { taskIdText } from '../task.ts';
import { assignTasks } from './assignor.ts';
import { type AssignmentData, decodeMemberData, encodeData } from './member-data.ts';
import { storesOf, type TopicsPlan, topicOnBroker } from './topics-plan.ts';

/** What the leader of a group shares out. */
export interface SharedWork {
  readonly topology: Topology;
  readonly applicationId: string;
  readonly plan: TopicsPlan;
  readonly numStandbyReplicas: number;
}

/** Gives each member its tasks, and tells all where all tasks are. */
export function shareOut(
  { topology, applicationId, plan, numStandbyReplicas }: SharedWork,
  members: readonly JoinedMember[],
): ReadonlyMap<string, MemberAssignment> {
  const known = members.map(({ memberId, userData }) => ({ memberId, data: decodeMemberData(userData) }));
  const shares = assignTasks(
    plan.tasks,
    known.map(({ memberId, data }) => ({
      memberId,
      processId: data.hostProcess ?? data.processId,
      tasks: new Map(Object.entries(data.tasks).map(([id, reached]) => [id, reached ?? Number.POSITIVE_INFINITY])),
    })),
    numStandbyReplicas,
    ({ subTopology }) => storesOf(topology, topology.subTopologies[subTopology]!).length > 0,
  );
  const hosts = known.map(({ memberId, data }) => ({
    processId: data.processId,
    endpoint: data.endpoint,
    ...shares.get(memberId)!,
  }));
  const shutdown = known.some(({ data }) => data.shutdown);
  const inputsOf = (taskId: string): readonly TopicPartition[] => {
    const { subTopology, partition } = plan.tasks.find((task) => taskIdText(task) === taskId)!;
    return topology.subTopologies[subTopology]!.sources.flatMap(({ topics }) => topics).map((topic) => ({
      topic: topicOnBroker(topology, applicationId, topic),
      partition,
    }));
  };
  return new Map(
    [...shares].map(([memberId, { active, standby }]) => {
      const data: AssignmentData = { active, standby, hosts, shutdown };
      return [memberId, { partitions: active.flatMap(inputsOf), userData: encodeData(data) }];
    }),
  );
}
