/** How long reads of this thread may go on, together, until everybody else has a turn, ms. */
const turnMs = 5;

/** How long reads may be put off for those who come, ms. */
const longestPutOffMs = 50;

let turnEndsMs = 0;
let nextTurn: Promise<void> | undefined;
let somebodyCame = false;

/**
 * Somebody has come: reads are put off until he is served. A connection and its request take several rounds of the event loop, in each of which only one connection is accepted: a turn in
 * every round would let the last of a hundred clients wait for a hundred turns.
 */
export function attend(): void {
  somebodyCame = true;
}

/**
 * For loops over many rows: where reads have had their time, a promise of the next turn. Between two turns all that waits is done: requests are answered, tasks take records.
 *
 * All reads of the thread share the time, so sixteen of them take no longer at a stretch than one.
 *
 * @returns undefined while there is time left.
 */
export function turn(): Promise<void> | undefined {
  if (performance.now() < turnEndsMs) return undefined;
  nextTurn ??= new Promise(beginTurn);
  return nextTurn;
}

function beginTurn(begun: () => void): void {
  setImmediate(() => {
    const now = performance.now();
    const putOff = somebodyCame && now < turnEndsMs + longestPutOffMs;
    somebodyCame = false;
    if (putOff) return beginTurn(begun);
    nextTurn = undefined;
    turnEndsMs = now + turnMs;
    begun();
  });
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
