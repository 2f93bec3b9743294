import { messageOf } from '../common/errors.ts';
import type { Drop } from '../processor/drop-reason.ts';
import type { ConsumedRecord } from '../processor/record.ts';
import type { SourceSpec } from '../topology/node-spec.ts';

/** What is told of a record whose event time a source does not take. */
export function refusedTime(reason: 'future' | 'invalid_timestamp', at: unknown, maxFutureMs: number): string {
  return reason === 'future'
    ? `its event time, ${at} ms, lies more than ${maxFutureMs} ms after its arrival`
    : `its event time is ${String(at)}, which is not a whole number of ms since 1970-01-01T00:00Z`;
}

/** The event time that a source sees in a record by itself, or why a task would drop it. */
export function soleTimeOf(
  spec: SourceSpec,
  record: ConsumedRecord<unknown, unknown>,
  maxFutureMs: number,
): number | Drop {
  try {
    const at = spec.timestampExtractor?.(record, -1) ?? record.timestamp;
    const reason = !(Number.isSafeInteger(at) && at >= 0)
      ? 'invalid_timestamp'
      : spec.arrivalTime !== undefined && at > spec.arrivalTime(record) + maxFutureMs
        ? 'future'
        : undefined;
    return reason === undefined ? at : { reason, message: refusedTime(reason, at, maxFutureMs) };
  } catch (error) {
    return { reason: 'processing', message: `its event time cannot be told: ${messageOf(error)}` };
  }
}
