/** How long reads of this thread may go on, together, until everybody else has a turn, ms. */
const turnMs = 5;

let turnEndsMs = 0;
let nextTurn: Promise<void> | undefined;

/**
 * For loops over many rows: where reads have had their time, a promise of the next turn. Between two turns all that waits is done: requests are answered, tasks take records.
 *
 * All reads of the thread share the time, so sixteen of them take no longer at a stretch than one.
 *
 * @returns undefined while there is time left.
 */
export function turn(): Promise<void> | undefined {
  if (performance.now() < turnEndsMs) return undefined;
  nextTurn ??= new Promise((resolve) => {
    setImmediate(() => {
      nextTurn = undefined;
      turnEndsMs = performance.now() + turnMs;
      resolve();
    });
  });
  return nextTurn;
}

/** Rows between two of a loop's questions whether its turn is over: they take a fraction of a millisecond. */
const rowsAtOnce = 64;

/** The same items in smaller pages, with a pause before some of them where others wait. */
export async function* inTurns<T>(pages: AsyncIterable<readonly T[]>): AsyncGenerator<readonly T[]> {
  for await (const page of pages)
    for (let at = 0; at < page.length; at += rowsAtOnce) {
      const pause = turn();
      if (pause !== undefined) await pause;
      yield page.length <= rowsAtOnce ? page : page.slice(at, at + rowsAtOnce);
    }
}
