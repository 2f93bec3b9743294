import type { LogBatch } from './partition-log.ts';
import { keyAt, pick, type RecordColumns } from './record-columns.ts';

/**
 * What log compaction leaves: below `stable` the last record of each key, with its offset; records of aborted transactions and records that a later one of the same
 * key replaces are gone. Tombstones stay (a broker keeps them for `delete.retention.ms`), markers too.
 */
export function compacted(batches: readonly LogBatch[], stable: number): LogBatch[] {
  const last = new Map<string, number>();
  for (const batch of batches) {
    if (!isCompacted(batch, stable)) continue;
    for (let i = 0; i < batch.columns.length; i++) last.set(textOf(batch.columns, i), batch.offsets[i]!);
  }
  return batches.flatMap((batch) => {
    if (batch.firstOffset >= stable) return [batch];
    if (batch.transaction?.outcome === 'aborted') return [{ ...batch, ...kept(batch, []), transaction: undefined }];
    const indexes: number[] = [];
    for (let i = 0; i < batch.columns.length; i++) {
      if (last.get(textOf(batch.columns, i)) === batch.offsets[i]) indexes.push(i);
    }
    return [indexes.length === batch.columns.length ? batch : { ...batch, ...kept(batch, indexes) }];
  });
}

const isCompacted = (batch: LogBatch, stable: number): boolean =>
  batch.firstOffset < stable && batch.transaction?.outcome !== 'aborted';

/** A record without key is a key of its own: such topics are not compacted. */
const textOf = (columns: RecordColumns, i: number): string => keyAt(columns, i)?.toString('latin1') ?? 'no key';

function kept(batch: LogBatch, indexes: readonly number[]): Pick<LogBatch, 'columns' | 'offsets'> {
  return {
    columns: pick(batch.columns, indexes),
    offsets: Float64Array.from(indexes, (i) => batch.offsets[i]!),
  };
}
