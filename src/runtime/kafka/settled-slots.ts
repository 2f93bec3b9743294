import type { Logger } from '../../common/logger.ts';
import type { TaskSlot } from './task-slot.ts';

/** How long tasks are waited for that have nothing to commit, such as those that are being restored, ms. */
const idleCloseMs = 1500;
/** And for what they do when commits are given up, ms. */
const lateSettleMs = 500;

/** Waits for the last commits, but not for ever: with a broker that is gone nothing is lost by giving them up. */
export async function settledSlots(slots: readonly TaskSlot[], timeoutMs: number, logger: Logger): Promise<void> {
  const commits = slots.some(({ task }) => task?.needsCommit);
  const settled = Promise.all(slots.map((slot) => slot.settled()));
  let timer: NodeJS.Timeout | undefined;
  const late = (ms: number): Promise<'late'> =>
    new Promise((resolve) => {
      timer = setTimeout(() => resolve('late'), ms);
    });
  const limitMs = commits ? timeoutMs : Math.min(timeoutMs, idleCloseMs);
  if ((await Promise.race([settled, late(limitMs)])) === 'late') {
    logger.warn({}, 'the broker does not answer: the last commits are given up, and made again by the next owner');
    for (const slot of slots) await slot.task?.close();
    // One that was being taken over or restored asks the broker for longer; it ends when what it reads with is closed.
    await Promise.race([settled, late(lateSettleMs)]);
  }
  clearTimeout(timer);
}
