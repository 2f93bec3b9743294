import type { StreamsErrorCode } from '../common/errors.ts';

/** Reasons for which a record is dropped after its source. */
export const dropReasons = [
  'late',
  'null_key',
  'invalid_timestamp',
  'processing',
  'future',
  'deserialization',
] as const;
/** Why a record was dropped. */
export type DropReason = (typeof dropReasons)[number];

/** That a node, or its task, drops the record in process. */
export interface Drop {
  readonly reason: DropReason;
  /** The node that drops it, where it is one. */
  readonly nodeName?: string | undefined;
  /** What is wrong with it. */
  readonly message: string;
  /** Of the error that it failed with. */
  readonly code?: StreamsErrorCode;
}

/**
 * What is told of a record that was dropped several times: it has one letter. That it failed, else what it lacks, else that it was late.
 */
export function worseFate(before: Drop | undefined, drop: Drop): Drop {
  if (before === undefined || drop.reason === 'processing') return drop;
  return before.reason === 'late' && drop.reason !== 'late' ? drop : before;
}

const messages: Partial<Readonly<Record<DropReason, string>>> = {
  late: 'the record came after the end of its window and the grace after it',
  null_key: 'the record lacks the key or the value that the node needs',
};

/** The drop of a record by a node; `message` where there is more to say than the reason does. */
export function dropOf(reason: DropReason, nodeName: string, message?: string): Drop {
  return { reason, nodeName, message: `node ${nodeName}: ${message ?? messages[reason] ?? reason}` };
}
