/** An event time that a processor has made up. @throws RangeError for what is none: a fraction, NaN, a time before the epoch. */
export function eventTime(ms: number, what: string): number {
  if (!Number.isSafeInteger(ms) || ms < 0)
    throw new RangeError(`${what} has timestamp ${ms}: give a whole number of ms since the epoch, 0 or later`);
  return ms;
}

/** A moment that a processor has made up, such as the start of a window: it may lie before the epoch. @throws RangeError for a fraction or NaN. */
export function wholeMs(ms: number, what: string): number {
  if (!Number.isSafeInteger(ms)) throw new RangeError(`${what} is ${ms}: give a whole number of ms since the epoch`);
  return ms;
}
