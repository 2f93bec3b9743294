import type { GroupMember, MemberAssignment } from '../../clients/broker.ts';
import { StreamsError } from '../../common/errors.ts';
import type { Topology } from '../../topology/topology.ts';
import { type TaskId, taskIdText } from '../task.ts';
import type { GlobalTables } from './global-tables.ts';
import { repartitionTopic } from './internal-names.ts';
import type { FilledOptions } from './kafka-options.ts';
import {
  type AssignmentData,
  decodeAssignmentData,
  encodeData,
  type MemberData,
  type MemberPart,
} from './member-data.ts';
import { memberParts, shareOut } from './share-out.ts';
import { storedTasks } from './stored-tasks.ts';
import type { ThreadNames, ThreadOwner } from './thread-owner.ts';
import type { ThreadTasks } from './thread-tasks.ts';
import type { TopicsPlan } from './topics-plan.ts';

/** What a member of the group is made of. */
export interface MembershipOptions {
  readonly options: FilledOptions;
  readonly names: ThreadNames;
  readonly owner: ThreadOwner;
  readonly topology: Topology;
  readonly tasks: ThreadTasks;
  readonly globals: GlobalTables;
  /** The tasks that there are now. */
  plan(): TopicsPlan;
  /** Looks at the topics: there may be more tasks then. */
  look(): Promise<void>;
}

/** One member of the application's group: says what it has, shares the tasks out when it leads, and hands on what it is given. */
export class Membership {
  readonly member: GroupMember;
  assignment: AssignmentData | undefined;
  rebalancing = false;
  readonly #given: MembershipOptions;
  #joined = 0;
  #ends = false;

  constructor(given: MembershipOptions) {
    this.#given = given;
    this.member = this.#newMember();
  }

  /** Whether the thread has an assignment, and no other is on its way. */
  get settled(): boolean {
    return this.assignment !== undefined && !this.rebalancing;
  }

  /** Asks for a new generation, unless one is on its way anyway. */
  rejoin(): void {
    if (!this.#ends && !this.rebalancing) this.member.rejoin();
  }

  /** Nothing is taken any more, whatever is assigned. */
  end(): void {
    this.#ends = true;
  }

  /** Ends the membership. @param leaves - The others take its tasks now; not before its session is over otherwise */
  async close(leaves: boolean): Promise<void> {
    if (!leaves) await this.member.stop();
    await this.member.leave().then(
      () => (leaves ? this.#given.globals.folder.saveMember(undefined) : undefined),
      () => {},
    );
  }

  #newMember(): GroupMember {
    const { options, topology, plan, look } = this.#given;
    const { broker, applicationId, numStandbyReplicas, groupInstanceId } = options;
    const { sessionTimeoutMs, rebalanceTimeoutMs, heartbeatIntervalMs } = options;
    return broker.member({
      groupId: applicationId,
      ...(groupInstanceId === undefined ? {} : { groupInstanceId }),
      topics: [
        ...topology.sourceTopics,
        ...[...topology.repartitions.keys()].map((topic) => repartitionTopic(applicationId, topic)),
      ],
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      heartbeatIntervalMs,
      userData: () => encodeData(this.#memberData()),
      assign: async (members) => {
        // Shared out is what there is now: members have joined because a topic has grown.
        await look();
        return shareOut({ parts: this.#parts(plan()), numStandbyReplicas }, members);
      },
      rebalancing: () => this.#isRebalancing(),
      assigned: async (assignment, generation) => {
        const { active, standby } = decodeAssignmentData(assignment.userData);
        // The leader may have seen a topic grow that this instance has not.
        if ([...active, ...standby].some((id) => this.#taskOf(id) === undefined)) await look();
        if (this.member.generation === generation) this.#assigned(assignment, generation);
      },
      lost: (reason) => this.#lost(reason),
      failed: (error) => this.#given.owner.ends(error),
    });
  }

  #memberData(): MemberData & { readonly join: number } {
    const { options, names, owner, plan } = this.#given;
    const tasks: Record<string, number | null> = Object.fromEntries(storedTasks(options.stateDir));
    for (const slot of this.#given.tasks.all) {
      if (slot.folder !== undefined) tasks[slot.taskId] = slot.reached;
      if (slot.role === 'active' && !slot.failed) tasks[slot.taskId] = null;
    }
    const { processId, hostProcess, endpoint } = names;
    return {
      processId,
      ...(hostProcess === undefined ? {} : { hostProcess }),
      endpoint,
      tasks,
      parts: this.#parts(plan()),
      shutdown: owner.asksShutdown(),
      // A member that says the same as before gets no new generation.
      join: ++this.#joined,
    };
  }

  #parts(plan: TopicsPlan): Readonly<Record<number, MemberPart>> {
    const { topology, options } = this.#given;
    return memberParts(topology, options.applicationId, plan);
  }

  #isRebalancing(): void {
    this.rebalancing = true;
    // What others may get is committed, so that little is done twice.
    void this.#given.tasks.loop.commitAll();
    this.#given.owner.changed();
  }

  #assigned(assignment: MemberAssignment, generation: number): void {
    // A client that closes is given tasks until it has left: nobody would close them again.
    if (this.#ends) return;
    const { options, globals, owner, tasks } = this.#given;
    const { groupInstanceId, logger } = options;
    const data = decodeAssignmentData(assignment.userData);
    const isFirst = this.assignment === undefined;
    this.assignment = data;
    // What a static member finds may be older than its program, its address and its topics.
    if (isFirst && groupInstanceId !== undefined && !this.#isOfNow(data)) this.member.rejoin();
    globals.folder.saveMember(groupInstanceId === undefined ? this.member.memberId : undefined).catch(() => {});
    globals.folder.beginRun().catch((error: unknown) => owner.ends(error));
    this.rebalancing = false;
    tasks.counts.rebalances++;
    logger.info({ generation, active: data.active, standby: data.standby }, 'tasks assigned');
    if (data.shutdown) {
      owner.shutDown();
      return;
    }
    if (data.refused !== undefined) {
      owner.ends(
        new StreamsError(
          'STREAMS_STATE_INCOMPATIBLE',
          `this program cannot be at work beside the other instances of application ${options.applicationId}: ${data.refused}. Give a store that changes another name, with its grouping, or run the program under another application id.`,
        ),
      );
      return;
    }
    tasks.assigned(this.#known(data.active), this.#known(data.standby));
    owner.changed();
  }

  /** Those tasks of whose sub-topologies the program has any: what a static member finds, or the leader is of an earlier version, may be of the program before. */
  #known(taskIds: readonly string[]): readonly TaskId[] {
    const parts = this.#parts(this.#given.plan());
    const known = taskIds.filter((id) => id.slice(0, id.indexOf('_')) in parts);
    if (known.length < taskIds.length)
      this.#given.options.logger.warn(
        { tasks: taskIds.filter((id) => !known.includes(id)) },
        'this instance is given tasks that its program does not have: they wait for one that has them',
      );
    return known.map((taskId) => {
      const id = this.#taskOf(taskId);
      if (id !== undefined) return id;
      throw new StreamsError(
        'STREAMS_PARTITION_MISMATCH',
        `this instance is given task ${taskId}, which it does not know: a topic has more partitions than when it was started, or another instance runs another topology. Restart all instances with one version.`,
        { taskId },
      );
    });
  }

  /** Whether an assignment knows this instance as it is, and the tasks that there are. */
  #isOfNow({ hosts }: AssignmentData): boolean {
    const { names, plan } = this.#given;
    const own = hosts.find(({ processId }) => processId === names.processId);
    const shared = new Set(hosts.flatMap(({ active }) => active));
    const { tasks } = plan();
    return (
      own?.endpoint === names.endpoint &&
      shared.size === tasks.length &&
      tasks.every((id) => shared.has(taskIdText(id)))
    );
  }

  #taskOf(taskId: string): TaskId | undefined {
    return this.#given.plan().tasks.find((task) => taskIdText(task) === taskId);
  }

  #lost(reason: string): void {
    this.#given.options.logger.warn({ reason }, 'the membership is lost: all tasks are dropped');
    this.rebalancing = true;
    this.#given.tasks.lost();
    this.#given.owner.changed();
  }
}
