/** What to do when a body breaks while it is being sent. If it throws, the watched body breaks as well; else it ends. */
export type BodyFailure = (error: unknown) => void;

/** How long a client may leave what it has asked for lying there, ms: an answer holds a snapshot of a store. */
const longestPauseMs = 30_000;

/**
 * The bodies that are being sent. They hold iterators over stores, so a server that closes waits for all of them, and a body that breaks
 * half-way must be seen to have broken: its connection is cut instead of ended.
 */
export class OpenBodies {
  readonly #open: Set<ReadableStreamDefaultReader<Uint8Array>> = new Set();

  /**
   * The same body, watched. One of which nothing is taken for half a minute breaks.
   *
   * @param ended - Called when it has ended, in whatever way.
   */
  watch(
    body: ReadableStream<Uint8Array>,
    onFailure: BodyFailure,
    ended: () => void = () => {},
  ): ReadableStream<Uint8Array> {
    const reader = body.getReader();
    this.#open.add(reader);
    let idle: NodeJS.Timeout | undefined;
    const over = (): void => {
      clearTimeout(idle);
      this.#open.delete(reader);
      ended();
    };
    const waits = (): void => {
      idle = setTimeout(() => {
        over();
        reader.cancel().catch(() => {});
        try {
          onFailure(new Error(`the client has taken nothing for ${longestPauseMs} ms`));
        } catch {
          // Nobody is there who could be told.
        }
      }, longestPauseMs).unref();
    };
    waits();
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          clearTimeout(idle);
          try {
            const { done, value } = await reader.read();
            if (!done) {
              waits();
              return controller.enqueue(value);
            }
            over();
          } catch (error) {
            over();
            onFailure(error);
          }
          controller.close();
        },
        cancel: async (reason) => {
          over();
          await reader.cancel(reason);
        },
      },
      { highWaterMark: 0 },
    );
  }

  /** Ends all bodies and resolves when their iterators are closed. */
  async cancel(): Promise<void> {
    await Promise.allSettled([...this.#open].map((reader) => reader.cancel(new Error('the server is closing'))));
  }
}
