import { utf8 } from '../common/bytes.ts';
import { streamBytes } from './byte-stream.ts';
import { toJson } from './json.ts';
import { HttpProblem } from './problem.ts';
import type { Route } from './route.ts';

/** How far the events of a stream are apart, ms. */
const everyMs = 1000;

/** After this time a browser asks again when a stream broke, ms. */
const retryMs = 2000;

/**
 * Figures as server-sent events (the page's), until the client or the server goes away.
 *
 * Each second an event `figures` with the JSON of `/tasks` and of `/stores`, made once for all who listen; or `problem`, with `code` and `detail`, while there are none to be had. A
 * client that is slow misses some. At most so many are served as `ScanLimit` lets in; a further one gets 503.
 */
export class LiveFigures {
  readonly #figures: () => object;
  #ended = false;
  /** The wait for the next event, of all who listen. */
  #wait: Promise<void> | undefined;
  #endWait: () => void = () => {};
  #event: Uint8Array = new Uint8Array(0);
  #madeAtMs = Number.NEGATIVE_INFINITY;

  /** @param figures - What is sent; what it throws is sent as a problem. */
  constructor(figures: () => object) {
    this.#figures = figures;
  }

  get route(): Route {
    return {
      path: '/live',
      summary: 'The figures of /tasks and /stores, once a second, as server-sent events',
      query: {},
      scan: 'live',
      handle: () => streamBytes(this.#events(), 'text/event-stream'),
    };
  }

  /** Ends all streams: a server that closes need not wait for them. */
  end(): void {
    this.#ended = true;
    this.#endWait();
  }

  async *#events(): AsyncIterable<Uint8Array> {
    yield utf8(`retry: ${retryMs}\n\n`);
    while (!this.#ended) {
      yield this.#newest();
      await this.#nextTime();
    }
  }

  #nextTime(): Promise<void> {
    this.#wait ??= new Promise((resolve) => {
      const over = (): void => {
        clearTimeout(timer);
        this.#wait = undefined;
        resolve();
      };
      const timer = setTimeout(over, everyMs);
      this.#endWait = over;
    });
    return this.#wait;
  }

  /** The event of now, as made for whoever asked for it first. */
  #newest(): Uint8Array {
    const now = performance.now();
    if (now - this.#madeAtMs >= everyMs / 2) {
      this.#event = utf8(this.#make());
      this.#madeAtMs = now;
    }
    return this.#event;
  }

  #make(): string {
    try {
      return `event: figures\ndata: ${toJson(this.#figures())}\n\n`;
    } catch (error) {
      const { code, message } = HttpProblem.of(error);
      return `event: problem\ndata: ${toJson({ code, detail: message })}\n\n`;
    }
  }
}
