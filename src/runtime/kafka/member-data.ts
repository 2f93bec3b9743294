import type { GroupDescription } from '../../clients/broker.ts';
import { fromUtf8, utf8 } from '../../common/bytes.ts';

/** What a member tells the leader when it joins. */
export interface MemberData {
  readonly processId: string;
  /** Names what it ends together with: stream threads of one process. Absent: itself alone. */
  readonly hostProcess?: string;
  /** Where others reach its HTTP endpoints, 'host:port'; '' for nowhere. */
  readonly endpoint: string;
  /** Tasks whose state it has, with the sum of its changelog positions; null: it runs the task. */
  readonly tasks: Readonly<Record<string, number | null>>;
  /** The sub-topologies of its program, by their numbers; absent: those of the leader's. Two programs may run side by side, and one may lack what the other has. */
  readonly parts?: Readonly<Record<number, MemberPart>>;
  /** It asks all instances to shut down. */
  readonly shutdown: boolean;
}

/** A sub-topology of a member's program. */
export interface MemberPart {
  /** What its tasks read, as the broker calls it. */
  readonly topics: readonly string[];
  readonly partitions: number;
  /** Whether its tasks have stores. */
  readonly stateful: boolean;
  /** {@link programText} of its tasks. */
  readonly program: string;
}

/** What the leader tells each member. */
export interface AssignmentData {
  readonly active: readonly string[];
  readonly standby: readonly string[];
  /** Active tasks of every instance, by process, with its endpoint. */
  readonly hosts: readonly {
    readonly processId: string;
    readonly hostProcess?: string;
    readonly endpoint: string;
    readonly active: readonly string[];
    readonly standby: readonly string[];
  }[];
  readonly shutdown: boolean;
  /** Why the member gets nothing: its program cannot be at work beside the leader's. */
  readonly refused?: string;
}

/** As JSON, with a version number. */
export function encodeData(data: MemberData | AssignmentData): Uint8Array {
  return utf8(JSON.stringify({ v: 1, ...data }));
}

/** @throws Error for bytes of another program or a newer version. */
export function decodeMemberData(bytes: Uint8Array): MemberData {
  return decode(bytes, ['processId', 'tasks']) as MemberData;
}

/** @throws Error for bytes of another program or a newer version. */
export function decodeAssignmentData(bytes: Uint8Array): AssignmentData {
  return decode(bytes, ['active', 'standby', 'hosts']) as AssignmentData;
}

/** All instances as the leader has told its members; empty where no member has heard of them, or all are another program. */
export function hostsOf({ members }: Pick<GroupDescription, 'members'>): AssignmentData['hosts'] {
  for (const { userData } of members)
    try {
      return decodeAssignmentData(userData).hosts;
    } catch {
      // Another program, or a member that is not assigned anything yet.
    }
  return [];
}

/** How many instances the members of a group are: the stream threads of one are one. A member that no assignment tells of is taken for an instance. */
export function instancesIn(group: Pick<GroupDescription, 'members'>): number {
  const hosts = hostsOf(group);
  const told = new Set(hosts.map(({ processId, hostProcess = processId }) => hostProcess));
  return told.size + Math.max(0, group.members.length - hosts.length);
}

function decode(bytes: Uint8Array, needed: readonly string[]): unknown {
  const data = JSON.parse(fromUtf8(bytes)) as Record<string, unknown>;
  if (data.v !== 1 || needed.some((name) => data[name] === undefined))
    throw new Error('a member of the group is another program, or a newer version of this one');
  return data;
}
