/** What a function of the user's has returned, if it is to be waited for: `record => store.put(...)` returns whatever it calls. */
export function promiseOf(result: unknown): Promise<void> | undefined {
  const thenable =
    typeof result === 'object' && result !== null && 'then' in result && typeof result.then === 'function';
  return thenable ? Promise.resolve(result as PromiseLike<void>) : undefined;
}
