import type { Choice } from '../http/page/page-spec.ts';
import { el, svg } from './dom.ts';
import { axisLabel, compact, count, type Span, windowDays, windowLabel } from './format.ts';

/** Room that a date takes on the axis. */
const dateWidth = 58;
const margin = { top: 12, right: 8, bottom: 40, left: 48 };
let charts = 0;

/** A window and what is counted in it. */
export interface Bar extends Span {
  readonly final: boolean;
  total: number;
  /** By series. */
  readonly values: Record<string, number>;
}

/**
 * A chart of stacked bars, drawn again whenever its data or its width changes.
 *
 * It can be read with a pointer, with the arrow keys once it has the focus, and by a screen reader, which is told the bar in the focus.
 */
export class BarChart {
  readonly series: readonly Choice[];
  readonly unit: string;
  readonly root: HTMLElement;
  bars: readonly Bar[] = [];
  stacks: SVGGElement[] = [];
  selected = -1;
  width = 0;
  floor = 0;
  band = 0;
  scale = 0;
  cursor: SVGRectElement | undefined;
  readonly hatch = `hatch-${++charts}`;
  readonly plot = svg('svg', { class: 'plot', 'aria-hidden': 'true' });
  readonly tip = el('div', { class: 'tip', hidden: true });
  readonly voice = el('p', { class: 'visually-hidden', 'aria-live': 'polite' });

  constructor(series: readonly Choice[], unit: string) {
    this.series = series;
    this.unit = unit;
    this.root = el('div', { class: 'chart', tabindex: '0', role: 'group' }, this.plot, this.tip, this.voice);
    this.listen();
    new ResizeObserver(() => this.draw()).observe(this.root);
  }

  /** Shows other bars: { start, end, final, total, values } each, oldest first. */
  show(bars: readonly Bar[], label: string): void {
    const kept = this.bars[this.selected]?.start;
    this.bars = bars;
    this.selected = kept === undefined ? -1 : bars.findIndex((bar) => bar.start === kept);
    this.root.setAttribute('aria-label', `${label} Arrow keys go from bar to bar.`);
    this.draw();
  }

  draw(): void {
    const width = this.root.clientWidth;
    const height = this.root.clientHeight;
    if (width === 0 || height === 0) return;
    this.width = width;
    this.floor = height - margin.bottom;
    this.band = (width - margin.left - margin.right) / Math.max(1, this.bars.length);
    const ticks = ticksTo(Math.max(...this.bars.map((bar) => bar.total), 1));
    this.scale = (this.floor - margin.top) / ticks.at(-1)!;
    this.plot.setAttribute('viewBox', `0 0 ${width} ${height}`);
    this.cursor = svg('rect', {
      class: 'cursor',
      y: margin.top,
      width: Math.max(1, this.band),
      height: this.floor - margin.top,
      hidden: true,
    });
    this.stacks = this.bars.map((bar, i) => this.stack(bar, i));
    this.plot.replaceChildren(this.definitions(), ...this.grid(ticks), this.cursor, ...this.stacks, ...this.dates());
    this.mark();
  }

  definitions(): SVGElement {
    const line = svg('path', { class: 'hatching', d: 'M-1,1 l2,-2 M0,6 l6,-6 M5,7 l2,-2' });
    return svg(
      'defs',
      {},
      svg('pattern', { id: this.hatch, width: 6, height: 6, patternUnits: 'userSpaceOnUse' }, line),
    );
  }

  grid(ticks: readonly number[]): SVGElement[] {
    const shown = this.bars.length === 0 ? [] : ticks;
    return shown.flatMap((tick) => {
      const y = Math.round(this.floor - tick * this.scale) + 0.5;
      return [
        svg('line', {
          class: tick === 0 ? 'base' : 'grid',
          x1: margin.left,
          x2: this.width - margin.right,
          y1: y,
          y2: y,
        }),
        svg('text', { class: 'tick', x: margin.left - 8, y: y + 4, 'text-anchor': 'end' }, compact(tick)),
      ];
    });
  }

  stack(bar: Bar, i: number): SVGGElement {
    const width = this.band < 4 ? this.band : Math.min(48, this.band * 0.74);
    const x = margin.left + i * this.band + (this.band - width) / 2;
    const group = svg('g', { class: bar.final ? 'bar' : 'bar open' });
    let under = 0;
    this.series.forEach((series, s) => {
      const n = bar.values[series.value] ?? 0;
      if (n === 0) return;
      const top = this.floor - (under + n) * this.scale;
      // A hairline between two parts, where there is room for one.
      const seam = under > 0 && n * this.scale > 3 && width > 4 ? 1 : 0;
      group.append(svg('rect', { class: `series-${s}`, x, y: top, width, height: Math.max(0, n * this.scale - seam) }));
      under += n;
    });
    if (!bar.final)
      group.append(
        svg('rect', {
          fill: `url(#${this.hatch})`,
          x,
          y: this.floor - under * this.scale,
          width,
          height: under * this.scale,
        }),
      );
    return group;
  }

  dates(): SVGElement[] {
    if (this.bars.length === 0) return [];
    const days = windowDays(this.bars[0]!);
    const every = Math.ceil(dateWidth / this.band);
    const labels: SVGElement[] = [];
    let year = '';
    this.bars.forEach((bar, i) => {
      if (i % every !== 0) return;
      const x = margin.left + (i + 0.5) * this.band;
      // The last one may have no room on its right.
      const edge = this.width - x < dateWidth / 2;
      const place = edge ? { x: this.width, 'text-anchor': 'end' } : { x, 'text-anchor': 'middle' };
      labels.push(svg('text', { class: 'tick', y: this.floor + 18, ...place }, axisLabel(bar, days)));
      const its = bar.start.slice(0, 4);
      if (its !== year && days < 300)
        labels.push(svg('text', { class: 'tick year', x, y: this.floor + 33, 'text-anchor': 'middle' }, its));
      year = its;
    });
    return labels;
  }

  listen(): void {
    const follow = (event: PointerEvent): void => {
      if (this.bars.length === 0) return;
      const at = Math.floor((event.clientX - this.root.getBoundingClientRect().left - margin.left) / this.band);
      this.select(Math.max(0, Math.min(this.bars.length - 1, at)));
    };
    this.root.addEventListener('pointermove', follow);
    this.root.addEventListener('pointerdown', follow);
    this.root.addEventListener('pointerleave', () => this.select(-1));
    this.root.addEventListener('blur', () => this.select(-1));
    this.root.addEventListener('keydown', (event) => {
      const to = this.keyTarget(event.key);
      if (to === undefined) return;
      event.preventDefault();
      this.select(to);
      if (to >= 0) this.voice.textContent = this.sentence(this.bars[to]!);
    });
  }

  keyTarget(key: string): number | undefined {
    const last = this.bars.length - 1;
    if (key === 'Escape') return -1;
    if (last < 0) return undefined;
    if (key === 'Home') return 0;
    if (key === 'End') return last;
    if (key === 'ArrowLeft') return this.selected < 0 ? last : Math.max(0, this.selected - 1);
    if (key === 'ArrowRight') return Math.min(last, this.selected + 1);
    return undefined;
  }

  select(i: number): void {
    this.selected = i;
    this.mark();
  }

  mark(): void {
    const bar = this.bars[this.selected];
    this.tip.hidden = bar === undefined;
    if (this.cursor === undefined) return;
    this.cursor.toggleAttribute('hidden', bar === undefined);
    this.plot.classList.toggle('choosing', bar !== undefined);
    this.plot.querySelector('.chosen')?.classList.remove('chosen');
    if (bar === undefined) return;
    this.stacks[this.selected]?.classList.add('chosen');
    const x = margin.left + this.selected * this.band;
    this.cursor.setAttribute('x', String(x));
    this.tip.replaceChildren(...this.tipContent(bar));
    // Beside the bar, so that it is not covered: on its right, or its left where there is no room.
    const right = x + this.band + 6;
    const left = right + this.tip.offsetWidth <= this.width ? right : Math.max(0, x - 6 - this.tip.offsetWidth);
    this.tip.style.transform = `translateX(${Math.round(left)}px)`;
  }

  tipContent(bar: Bar): HTMLElement[] {
    const rows = this.series
      .map((series, s) => ({ series, s, n: bar.values[series.value] ?? 0 }))
      .reverse()
      .filter(({ series }) => series.value in bar.values)
      .map(({ series, s, n }) =>
        el(
          'div',
          { class: 'tip-row' },
          el('span', { class: `swatch series-${s}` }),
          el('span', {}, series.label),
          el('b', {}, count(n)),
        ),
      );
    const total = el(
      'div',
      { class: 'tip-row tip-total' },
      el('span', {}),
      el('span', {}, `All ${this.unit}`),
      el('b', {}, count(bar.total)),
    );
    const note = bar.final ? [] : [el('div', { class: 'tip-note' }, 'Still open: may grow')];
    return [el('div', { class: 'tip-head' }, windowLabel(bar)), ...rows, ...(rows.length > 1 ? [total] : []), ...note];
  }

  sentence(bar: Bar): string {
    const parts = this.series
      .filter(({ value }) => value in bar.values)
      .map(({ value, label }) => `${label} ${count(bar.values[value]!)}`);
    const open = bar.final ? '' : ', still open';
    return `${windowLabel(bar)}: ${count(bar.total)} ${this.unit}${open}. ${parts.join(', ')}.`;
  }
}

/** Round numbers from 0 to just over the most, at least two and about five. */
function ticksTo(most: number): number[] {
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, [1, 2, 2.5, 5, 10].map((m) => m * power).find((each) => each >= rough)!);
  const whole = Number.isInteger(step) ? step : Math.ceil(step);
  const ticks = [0];
  while (ticks.at(-1)! < most) ticks.push(ticks.at(-1)! + whole);
  return ticks;
}
