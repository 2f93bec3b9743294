/** What a measured piece of work took. */
export interface Figures {
  readonly title: string;
  /** Pieces of work done, such as records. */
  readonly count: number;
  readonly perSecond: number;
  readonly wallSeconds: number;
  /** User and system time of all threads of this process. */
  readonly cpuSeconds: number;
  /** Most memory that the process has had up to here, bytes: it never falls, so measure the frugal first, or in processes of their own. */
  readonly peakRssBytes: number;
}

/** Figures, and what the work gave. */
export interface Measured<T> {
  readonly figures: Figures;
  readonly result: T;
}

/**
 * Runs a piece of work once and prints one line of figures:
 *
 * ```
 * put 1,000,000 rows            1,000,000     812,345/s      1.23 s    cpu   1.90 s    rss   85 MB
 * ```
 *
 * @param title - What is measured.
 * @param count - How many pieces of work it is, or how many its result says.
 * @param run - The work. Preparation belongs outside.
 */
export async function measure<T>(
  title: string,
  count: number | ((result: T) => number),
  run: () => T | Promise<T>,
): Promise<Measured<T>> {
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  const result = await run();
  const wallSeconds = (performance.now() - startedAt) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  const done = typeof count === 'number' ? count : count(result);
  const figures: Figures = {
    title,
    count: done,
    perSecond: done / wallSeconds,
    wallSeconds,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
  };
  console.log(lineOf(figures));
  return { figures, result };
}

/** The line that {@link measure} prints. */
export function lineOf(figures: Figures): string {
  const { title, count, perSecond, wallSeconds, cpuSeconds, peakRssBytes } = figures;
  const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
  return [
    title.padEnd(44),
    whole(count).padStart(12),
    `${whole(perSecond).padStart(11)}/s`,
    `${wallSeconds.toFixed(2).padStart(8)} s`,
    `  cpu ${cpuSeconds.toFixed(2).padStart(7)} s`,
    `  rss ${whole(peakRssBytes / 1e6).padStart(5)} MB`,
  ].join('');
}

/** The middle one of several runs, by rate: on a machine shared with others a single run says little. */
export function median(runs: readonly Figures[]): Figures {
  const sorted = [...runs].sort((a, b) => a.perSecond - b.perSecond);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new RangeError('no runs, no median');
  return middle;
}
