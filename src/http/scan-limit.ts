import { HttpProblem } from './problem.ts';

/** Answers that last: rows for anybody, rows for another instance that gathers them for somebody, events of the page. */
export type ScanKind = 'client' | 'instance' | 'live';

/** Answers that go through rows and are sent at the same time, at most. An instance asks others for each of its own, and for those of several threads. */
export const mostScans: Readonly<Record<ScanKind, number>> = { client: 16, instance: 64, live: 32 };

const called: Readonly<Record<ScanKind, string>> = {
  client: 'answers that go through many rows',
  instance: 'answers that go through many rows',
  live: 'streams of events',
};

/** Counts the answers under way that go through many rows: each holds a snapshot and some pages of rows. */
export class ScanLimit {
  readonly #open: Record<ScanKind, number> = { client: 0, instance: 0, live: 0 };

  /**
   * Begins one.
   *
   * @returns what ends it; calling it again does nothing.
   * @throws HttpProblem `HTTP_BUSY` - there are as many as there may be.
   */
  enter(kind: ScanKind): () => void {
    const most = mostScans[kind];
    if (this.#open[kind] >= most)
      throw new HttpProblem('HTTP_BUSY', `${most} ${called[kind]} are being sent already. Ask again in a second.`);
    this.#open[kind]++;
    let open = true;
    return () => {
      if (open) this.#open[kind]--;
      open = false;
    };
  }
}
