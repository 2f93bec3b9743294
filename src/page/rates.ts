import type { LiveView } from './answers.ts';

/** A rate is measured over this time, so that it does not jump with every commit, ms. */
const spanMs = 10_000;

/** Rows read from files, or records that this instance has read from the application's topics. */
export function rowsRead({ feeds, tasks, kafka }: LiveView): number {
  if (kafka !== undefined) return kafka.read;
  if (feeds.length > 0) return feeds.reduce((all, feed) => all + feed.rows, 0);
  return tasks.reduce((all, task) => all + task.processed, 0);
}

/** A rate from successive counts. */
export class Rate {
  #samples: { readonly atMs: number; readonly n: number }[] = [];
  /** When the count last changed, ms; undefined before two counts were seen. */
  changedAtMs: number | undefined;

  /** The rate after one more count, in a second; undefined at the first. */
  add(atMs: number, n: number): number | undefined {
    const last = this.#samples.at(-1);
    // A count that fell belongs to another process: nothing before it compares.
    if (last !== undefined && n < last.n) this.#samples = [];
    if (last === undefined || n !== last.n) this.changedAtMs = atMs;
    this.#samples.push({ atMs, n });
    while (this.#samples.length > 2 && this.#samples[1]!.atMs <= atMs - spanMs) this.#samples.shift();
    const first = this.#samples[0]!;
    return atMs <= first.atMs ? undefined : ((n - first.n) * 1000) / (atMs - first.atMs);
  }
}

/** Rates by name. */
export class Rates {
  readonly #rates = new Map<string, Rate>();

  /** The rate of a name after one more count of it. */
  add(name: string, atMs: number, n: number): number | undefined {
    return this.of(name).add(atMs, n);
  }

  of(name: string): Rate {
    const found = this.#rates.get(name) ?? new Rate();
    this.#rates.set(name, found);
    return found;
  }
}
