/** Lets a loop wait until something calls, or a time has passed. A call while nobody waits ends the next wait at once. */
export class Wake {
  #called = false;
  #resolve: (() => void) | undefined;

  call(): void {
    this.#called = true;
    this.#resolve?.();
  }

  async wait(timeoutMs: number): Promise<void> {
    if (!this.#called)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(0, timeoutMs));
        this.#resolve = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    this.#resolve = undefined;
    this.#called = false;
  }
}
