/** What to do when a body breaks while it is being sent. If it throws, the watched body breaks as well; else it ends. */
export type BodyFailure = (error: unknown) => void;

/**
 * The bodies that are being sent. They hold iterators over stores, so a server that closes waits for all of them, and a body that breaks
 * half-way must be seen to have broken: its connection is cut instead of ended.
 */
export class OpenBodies {
  readonly #open: Set<ReadableStreamDefaultReader<Uint8Array>> = new Set();

  /** The same body, watched. */
  watch(body: ReadableStream<Uint8Array>, onFailure: BodyFailure): ReadableStream<Uint8Array> {
    const reader = body.getReader();
    this.#open.add(reader);
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          try {
            const { done, value } = await reader.read();
            if (!done) return controller.enqueue(value);
            this.#open.delete(reader);
          } catch (error) {
            this.#open.delete(reader);
            onFailure(error);
          }
          controller.close();
        },
        cancel: async (reason) => {
          this.#open.delete(reader);
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
