import { setTimeout as delay } from 'node:timers/promises';
import { StreamsError } from '../common/errors.ts';
import type { StreamsState } from '../runtime/engine-stats.ts';
import type { ApplicationProgress } from '../runtime/kafka/application-progress.ts';

const caughtUpIntervalMs = 100;

/**
 * Resolves when all that the topics hold now is processed and committed, by all instances together, and those of this process have restored what they were given: others may have processed
 * everything.
 *
 * @param state - The state of this process's client.
 * @param stopped - Resolves when there is nothing to wait for any more.
 */
export async function untilCaughtUp(
  progress: ApplicationProgress,
  state: () => StreamsState,
  stopped: Promise<void>,
): Promise<void> {
  let over = false;
  const ended = stopped.then(() => {
    over = true;
  });
  const wait = async (): Promise<void> => {
    if (over) throw new StreamsError('STREAMS_CLOSED', 'the instance was stopped before it had caught up.');
    await delay(caughtUpIntervalMs);
  };
  const caughtUp = progress.untilCaughtUp(wait).then(async () => {
    while (state() !== 'RUNNING') await wait();
  });
  await Promise.race([ended, caughtUp]);
  if (!over) await caughtUp;
  else await caughtUp.catch(() => {});
}
