import type { OffsetToCommit } from '../broker.ts';
import type { PartitionLog } from './partition-log.ts';

/** A transaction, and what it has touched. Records in logs refer to it: whether they count is decided by `outcome`. */
export class Transaction {
  readonly producerId: number;
  outcome: 'open' | 'committed' | 'aborted' = 'open';
  readonly logs: Set<PartitionLog> = new Set();
  /** Positions to commit at the end, by group. */
  readonly offsets: Map<string, readonly OffsetToCommit[]> = new Map();

  constructor(producerId: number) {
    this.producerId = producerId;
  }
}
