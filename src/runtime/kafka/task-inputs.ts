import type { TopicPartition } from '../../clients/broker.ts';
import type { StreamsError } from '../../common/errors.ts';
import type { RecordSource } from '../record-source.ts';
import type { InputBuffer } from './input-buffer.ts';

/** ms for which an answer of the brokers counts at least: the next call may come as late as that. */
const answerMs = 1000;

/** The partitions that a task on Kafka reads: what is fetched is pushed. */
export class TaskInputs implements RecordSource {
  readonly queues: readonly InputBuffer[];
  readonly ended = false;
  readonly #maxTaskIdleMs: number;
  readonly #endsOf: (partitions: readonly TopicPartition[]) => Promise<readonly number[]>;
  /** When the brokers were last asked for what nobody has fetched, ms, and what they have said; undefined: nothing yet. */
  #asked: { readonly atMs: number; nothing: boolean | undefined } | undefined;

  /**
   * @param maxTaskIdleMs - how long an empty partition is waited for, ms; negative: not at all
   * @param endsOf - asks the brokers for stable ends
   */
  constructor(
    queues: readonly InputBuffer[],
    maxTaskIdleMs: number,
    endsOf: (partitions: readonly TopicPartition[]) => Promise<readonly number[]>,
  ) {
    this.queues = queues;
    this.#maxTaskIdleMs = maxTaskIdleMs;
    this.#endsOf = endsOf;
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

  /** Nothing that is fetched may only mean that no broker answers, or that this process was stopped: they are asked, and the next call knows. */
  isIdle(idleMs: number, nowMs: number): boolean {
    const idle = this.queues.every((input) => input.buffered === 0 && isEmptyFor(input, idleMs, nowMs));
    const asked = this.#asked;
    if (!idle || (asked !== undefined && asked.nothing === undefined)) return false;
    this.#asked = undefined;
    if (asked?.nothing === true && nowMs < asked.atMs + Math.max(idleMs, answerMs)) return true;
    this.#ask(nowMs);
    return false;
  }

  #ask(nowMs: number): void {
    const asked: { readonly atMs: number; nothing: boolean | undefined } = { atMs: nowMs, nothing: undefined };
    this.#asked = asked;
    this.#endsOf(this.queues).then(
      (ends) => {
        asked.nothing = this.queues.every(({ nextOffset }, i) => nextOffset >= ends[i]!);
      },
      () => {
        // Asked again.
        asked.nothing = false;
      },
    );
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
