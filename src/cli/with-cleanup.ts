/** Registers something to be done at the end. */
export type Defer = (close: () => unknown) => void;

/**
 * Does some work, then what it deferred, the last first, whether it failed or not.
 *
 * The error of the work is thrown, else the first one of what was deferred: all of it is done in any case.
 */
export async function withCleanup<T>(work: (defer: Defer) => Promise<T>): Promise<T> {
  const deferred: (() => unknown)[] = [];
  const errors: unknown[] = [];
  let result: T | undefined;
  try {
    result = await work((close) => deferred.push(close));
  } catch (error) {
    errors.push(error);
  }
  for (const close of deferred.reverse()) {
    try {
      await close();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
  return result as T;
}
