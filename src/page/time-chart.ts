import uPlot from 'uplot';
import { el } from './dom.ts';
import { compact } from './format.ts';

/** What the chart shows: the last five minutes. */
const shownSeconds = 300;
/** Points that are kept: one a second. */
const kept = 330;
const wholeSteps = [1, 2, 5]
  .flatMap((n) => Array.from({ length: 13 }, (_, power) => n * 10 ** power))
  .sort((a, b) => a - b);

/** A line of a chart over time. */
export interface TimeSeries {
  readonly label: string;
  /** A custom property of the style sheet, such as `--series-0`. */
  readonly color: string;
}

/** A chart of figures over the time for which the page is open. Screen readers get the same from the figures at the top. */
export class TimeChart {
  readonly root: HTMLElement;
  readonly #series: readonly TimeSeries[];
  readonly #points: (number | null)[][];
  #plot: uPlot | undefined;

  constructor(label: string, series: readonly TimeSeries[]) {
    this.#series = series;
    this.#points = [[], ...series.map((): number[] => [])];
    this.root = el('div', { class: 'time-chart', role: 'img', 'aria-label': label });
    new ResizeObserver(() => this.#fit()).observe(this.root);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#redraw());
  }

  /** Adds a point to each line. What is undefined is a gap. */
  add(atMs: number, values: readonly (number | undefined)[]): void {
    const row = [atMs / 1000, ...values.map((value) => value ?? null)];
    for (const [i, column] of this.#points.entries()) {
      column.push(row[i]!);
      if (column.length > kept) column.shift();
    }
    this.#plot?.setData(this.#points as uPlot.AlignedData);
  }

  #fit(): void {
    const { clientWidth: width, clientHeight: height } = this.root;
    if (width === 0 || height === 0) return;
    if (this.#plot === undefined) this.#draw(width, height);
    else this.#plot.setSize({ width, height });
  }

  #redraw(): void {
    this.#plot?.destroy();
    this.#plot = undefined;
    this.#fit();
  }

  #draw(width: number, height: number): void {
    const color = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const axis = { stroke: color('--soft'), grid: { stroke: color('--line'), width: 1 }, ticks: { show: false } };
    const options: uPlot.Options = {
      width,
      height,
      legend: { show: false },
      cursor: { y: false, points: { size: 7 } },
      scales: {
        x: { range: (_, __, last) => [last - shownSeconds, last] },
        y: { range: (_, __, most) => [0, Math.max(4, (most ?? 0) * 1.1)] },
      },
      series: [
        {},
        ...this.#series.map(({ label, color: name }) => ({
          label,
          stroke: color(name),
          fill: `color-mix(in srgb, ${color(name)} 14%, transparent)`,
          width: 2,
          points: { show: false },
        })),
      ],
      axes: [
        { ...axis, space: 90, values: (_, ticks) => ticks.map(clock) },
        { ...axis, size: 56, incrs: wholeSteps, values: (_, ticks) => ticks.map(compact) },
      ],
    };
    this.#plot = new uPlot(options, this.#points as uPlot.AlignedData, this.root);
  }
}

/** '09:05:30', as clocks here have it. */
function clock(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString('en-GB');
}
