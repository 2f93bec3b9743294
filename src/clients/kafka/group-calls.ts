import type { GroupMemberOptions, JoinedMember, MemberAssignment, OffsetToCommit } from '../broker.ts';
import type { Api } from './api.ts';
import { codesOf } from './broker-calls.ts';
import type { ClusterMap } from './cluster-map.ts';
import type { Connections } from './connections.ts';
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from './consumer-protocol.ts';
import { ConnectionLost, check, errorOfCode, isKafka, isMoved } from './errors.ts';
import { offsetsByTopic } from './group-offsets.ts';
import { heartbeat, joinGroup, leaveGroup, offsetCommit, syncGroup } from './requests.ts';

/** What a join has given. */
export interface Joined {
  readonly memberId: string;
  readonly generation: number;
  /** All members, for the leader; undefined for the others. */
  readonly members: readonly JoinedMember[] | undefined;
}

/** The name of the way in which the leader shares out the work. */
const protocol = 'weir';
/** Time for an answer to a join beyond the rebalance's own, ms. */
const answerMs = 10_000;

/** What a member says to its group's coordinator. Each call is made once; errors are `KafkaError` or `ConnectionLost`. */
export class GroupCalls {
  readonly #options: GroupMemberOptions;
  readonly #groupInstanceId: string | null;
  readonly #cluster: ClusterMap;
  /** A join waits for the other members, so it has a connection of its own. */
  readonly #joining: Connections;
  readonly #other: Connections;

  constructor(options: GroupMemberOptions, cluster: ClusterMap, connections: () => Connections) {
    this.#options = options;
    this.#groupInstanceId = options.groupInstanceId ?? null;
    this.#cluster = cluster;
    this.#joining = connections();
    this.#other = connections();
  }

  /** Joins. Without an id the coordinator gives one: to a static member with the generation, to others in generation -1, to join again with. */
  async join(memberId: string, round: number, userData: Uint8Array): Promise<Joined> {
    const { groupId, topics, sessionTimeoutMs, rebalanceTimeoutMs } = this.#options;
    const counter = Buffer.alloc(4);
    counter.writeInt32BE(round);
    const args = {
      groupId,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: rebalanceTimeoutMs,
      memberId,
      groupInstanceId: this.#groupInstanceId,
      protocolType: 'consumer',
      groupProtocols: [
        { name: protocol, metadata: encodeSubscription(topics, userData) },
        // Never chosen, as all prefer the first: who joins with something new gets a new generation, who joins with the same may get the old one.
        { name: `${protocol}-round`, metadata: encodeSubscription(topics, counter) },
      ],
    };
    const timeoutMs = Math.max(rebalanceTimeoutMs, sessionTimeoutMs) + answerMs;
    const answer = await this.#ask(this.#joining, joinGroup, args, timeoutMs, false);
    if (isKafka(errorOfCode(answer.errorCode), 'MEMBER_ID_REQUIRED')) {
      return { memberId: answer.memberId, generation: -1, members: undefined };
    }
    check(answer.errorCode);
    const leads = answer.leaderId === answer.memberId;
    const members = answer.members.map((of) => ({
      memberId: of.memberId,
      userData: decodeSubscription(of.memberMetadata),
    }));
    return { memberId: answer.memberId, generation: answer.generationId, members: leads ? members : undefined };
  }

  /** Gets this member's part; the leader brings everybody's. */
  async sync(
    { memberId, generation }: Joined,
    parts: ReadonlyMap<string, MemberAssignment>,
  ): Promise<MemberAssignment> {
    const { groupId, rebalanceTimeoutMs } = this.#options;
    const groupAssignment = [...parts].map(([id, part]) => ({
      memberId: id,
      memberAssignment: encodeAssignment(part),
    }));
    const groupInstanceId = this.#groupInstanceId;
    const args = { groupId, generationId: generation, memberId, groupInstanceId, groupAssignment };
    const answer = await this.#ask(this.#joining, syncGroup, args, rebalanceTimeoutMs + answerMs);
    return decodeAssignment(answer.memberAssignment);
  }

  async heartbeat(memberId: string, generation: number, timeoutMs: number): Promise<void> {
    const { groupId } = this.#options;
    const args = { groupId, groupGenerationId: generation, memberId, groupInstanceId: this.#groupInstanceId };
    await this.#ask(this.#other, heartbeat, args, timeoutMs);
  }

  async commit(
    memberId: string,
    generation: number,
    offsets: readonly OffsetToCommit[],
    timeoutMs: number,
  ): Promise<void> {
    const { groupId } = this.#options;
    const groupInstanceId = this.#groupInstanceId;
    const args = { groupId, generation, memberId, groupInstanceId, topics: offsetsByTopic(offsets) };
    await this.#ask(this.#other, offsetCommit, args, timeoutMs);
  }

  /** @param memberId - '' for a static member that has not been told its id. */
  async leave(memberId: string, timeoutMs: number): Promise<void> {
    const { groupId } = this.#options;
    const args = { groupId, memberId, groupInstanceId: this.#groupInstanceId };
    await this.#ask(this.#other, leaveGroup, args, timeoutMs);
  }

  close(): void {
    this.#joining.close();
    this.#other.close();
  }

  async #ask<Args, Result>(
    connections: Connections,
    api: Api<Args, Result>,
    args: Args,
    timeoutMs: number,
    checked = true,
  ): Promise<Result> {
    const { groupId } = this.#options;
    const nodeId = await this.#cluster.coordinator('group', groupId, timeoutMs);
    try {
      const connection = await connections.to(nodeId, timeoutMs);
      const answer = await connection.call(api, args, timeoutMs);
      for (const code of codesOf(answer)) {
        if (isMoved(errorOfCode(code))) this.#cluster.forgetCoordinator('group', groupId);
        if (checked) check(code);
      }
      return answer;
    } catch (error) {
      if (error instanceof ConnectionLost) this.#cluster.forgetNode(nodeId);
      throw error;
    }
  }
}
