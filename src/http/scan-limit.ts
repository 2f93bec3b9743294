import { HttpProblem } from './problem.ts';

/** Who asks for rows: anybody, or another instance that gathers them for somebody. */
export type ScanKind = 'client' | 'instance';

/** Answers that go through rows and are sent at the same time, at most. An instance asks others for each of its own, and for those of several threads. */
export const mostScans: Readonly<Record<ScanKind, number>> = { client: 16, instance: 64 };

/** Counts the answers under way that go through many rows: each holds a snapshot and some pages of rows. */
export class ScanLimit {
  readonly #open: Record<ScanKind, number> = { client: 0, instance: 0 };

  /**
   * Begins one.
   *
   * @returns what ends it; calling it again does nothing.
   * @throws HttpProblem `HTTP_BUSY` - there are as many as there may be.
   */
  enter(kind: ScanKind): () => void {
    const most = mostScans[kind];
    if (this.#open[kind] >= most)
      throw new HttpProblem(
        'HTTP_BUSY',
        `${most} answers that go through many rows are being sent already. Ask again in a second.`,
      );
    this.#open[kind]++;
    let open = true;
    return () => {
      if (open) this.#open[kind]--;
      open = false;
    };
  }
}
