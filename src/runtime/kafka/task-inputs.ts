import type { StreamsError } from '../../common/errors.ts';
import type { RecordSource } from '../record-source.ts';
import type { InputBuffer } from './input-buffer.ts';

/** The partitions that a task on Kafka reads: what is fetched is pushed. */
export class TaskInputs implements RecordSource {
  readonly queues: readonly InputBuffer[];
  readonly ended = false;
  readonly #maxTaskIdleMs: number;

  /** @param maxTaskIdleMs - how long an empty partition is waited for, ms; negative: not at all */
  constructor(queues: readonly InputBuffer[], maxTaskIdleMs: number) {
    this.queues = queues;
    this.#maxTaskIdleMs = maxTaskIdleMs;
  }

  get failure(): StreamsError | undefined {
    return this.queues.find(({ failure, buffered }) => failure !== undefined && buffered === 0)?.failure;
  }

  isReady(nowMs: number): boolean {
    if (this.queues.length === 1) return this.queues[0]!.buffered > 0;
    let any = false;
    for (const input of this.queues) {
      if (input.buffered > 0) {
        any = true;
        continue;
      }
      if (this.#maxTaskIdleMs < 0) continue;
      // Its next record may be older than those of the others: one that the broker is known to have is waited for without limit.
      if (!isEmptyFor(input, this.#maxTaskIdleMs, nowMs)) return false;
    }
    return any;
  }

  fill(): undefined {}

  isIdle(idleMs: number, nowMs: number): boolean {
    return this.queues.every((input) => input.buffered === 0 && isEmptyFor(input, idleMs, nowMs));
  }

  /** Records processed since the task was taken. */
  get consumed(): number {
    return this.queues.reduce((sum, { consumed }) => sum + consumed, 0);
  }

  /** Records still to be processed, as far as that is known. */
  get lag(): number {
    return this.queues.reduce((sum, { lag }) => sum + Math.max(0, lag), 0);
  }
}

/** Whether an input that has no record waiting was read to its end so long ago. */
function isEmptyFor(input: InputBuffer, ms: number, nowMs: number): boolean {
  if (input.stableEnd < 0 || input.nextOffset < input.stableEnd) return false;
  input.emptySinceMs ??= nowMs;
  return nowMs >= input.emptySinceMs + ms;
}
