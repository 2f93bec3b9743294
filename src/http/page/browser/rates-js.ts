/** Browser module: rates from successive counts. */
export const ratesJs: string = `
/** Polls that the curve shows. */
const kept = 60;
/** A rate is measured over this time, so that it does not jump with every commit. */
const spanMs = 10000;

/** Rows read from files, or records that this instance has read from the application's topics. */
export function rowsRead({ feeds, tasks, kafka }) {
  if (kafka !== undefined) return kafka.read;
  if (feeds.length > 0) return feeds.reduce((all, feed) => all + feed.rows, 0);
  return tasks.reduce((all, task) => all + task.processed, 0);
}

/** Rates from successive counts. */
export class Rates {
  constructor() {
    this.samples = [];
    this.history = [];
  }

  /** The rate after one more count, rows/s; undefined at the first. */
  add(atMs, n) {
    const last = this.samples.at(-1);
    // A count that fell belongs to another process: nothing before it compares.
    if (last !== undefined && n < last.n) {
      this.samples = [];
      this.history = [];
    }
    this.samples.push({ atMs, n });
    while (this.samples.length > 2 && this.samples[1].atMs <= atMs - spanMs) this.samples.shift();
    const first = this.samples[0];
    if (atMs <= first.atMs) return undefined;
    const rate = ((n - first.n) * 1000) / (atMs - first.atMs);
    this.history.push(rate);
    if (this.history.length > kept) this.history.shift();
    return rate;
  }

  /** The curve of the last rates as points in a box. */
  points(width, height) {
    const most = Math.max(...this.history, 1);
    const step = width / Math.max(1, this.history.length - 1);
    return this.history
      .map((rate, i) => (i * step).toFixed(1) + ',' + (height - 1 - (rate / most) * (height - 2)).toFixed(1))
      .join(' ');
  }
}
`;
