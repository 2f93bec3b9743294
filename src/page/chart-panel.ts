import type { ChartKey, ChartSpec } from '../http/page/page-spec.ts';
import { type Bar, BarChart } from './chart.ts';
import { el, selectField, textField, write } from './dom.ts';
import { getJson, repeat, words } from './fetch.ts';
import { choose } from './form-selects.ts';
import { count, spanLabel, windowLabel } from './format.ts';
import { filled } from './spec-url.ts';
import { type Column, type Table, table, text } from './table.ts';

const refreshMs = 15_000;
const spans = [
  { value: '31', label: 'last 31' },
  { value: '92', label: 'last 92' },
  { value: '366', label: 'last 366' },
  { value: '', label: 'all' },
];
let panels = 0;

type Counted = Readonly<Record<string, string | number | boolean>>;

interface KeyRow {
  readonly key: string;
  readonly name?: string;
}

/** A chart of windows with what can be chosen for it, kept fresh. What is chosen stands in the address of the page. */
export class ChartPanel {
  readonly root: HTMLElement;
  readonly #spec: ChartSpec;
  readonly #id = `panel-${++panels}`;
  readonly #chosen: (query: ReadonlyMap<string, string>) => void;
  readonly #chart: BarChart;
  readonly #summary = el('p', { class: 'summary' });
  readonly #message = el('div', { class: 'message', role: 'status' });
  readonly #rows: Table<Bar>;
  readonly #details: HTMLDetailsElement;
  readonly #csv: HTMLAnchorElement | undefined;
  readonly #controls: HTMLFormElement;
  readonly #selects = new Map<string, HTMLSelectElement>();
  readonly #span: HTMLSelectElement;
  readonly #key: HTMLInputElement | undefined;
  readonly #keys = el('datalist', { id: `${this.#id}-keys` });
  #keyField: HTMLElement | undefined;
  #asked = 0;
  #suggestedBy: string | null | undefined = null;
  #bars: readonly Bar[] | undefined;
  #shown: readonly Bar[] = [];
  #name: string | undefined;

  /** @param chosen - Told what is chosen, by name, whenever it is something else. */
  constructor(spec: ChartSpec, chosen: (query: ReadonlyMap<string, string>) => void) {
    this.#spec = spec;
    this.#chosen = chosen;
    this.#chart = new BarChart(spec.series.values, spec.unit);
    this.#rows = table(this.#columns(), `${spec.title} as a table`);
    this.#csv =
      spec.csvQuery === undefined ? undefined : el('a', { class: 'quiet', download: true, hidden: true }, 'CSV');
    this.#controls = el('form', { class: 'controls', 'aria-label': spec.title });
    this.#details = el('details', {}, el('summary', {}, 'Show as a table'), this.#rows.root);
    this.#details.addEventListener('toggle', () => this.#fillTable());
    for (const { name, label, choices } of spec.selects) this.#selects.set(name, this.#offer(label, choices));
    this.#key = spec.key === undefined ? undefined : this.#offerKey(spec.key);
    this.#span = this.#offer('Windows', spans);
    this.#controls.addEventListener('submit', (event) => event.preventDefault());
    this.#controls.addEventListener('change', (event) => this.#changed(event.target));
    this.root = el(
      'section',
      { class: 'panel', 'aria-labelledby': this.#id },
      this.#head(),
      this.#controls,
      el('div', { class: 'stage' }, this.#chart.root, this.#message),
      this.#foot(),
    );
  }

  /** Takes the choices that an address has; those that it lacks are the first ones. */
  choose(query: URLSearchParams): readonly string[] {
    const controls = [...this.#selects, ['windows', this.#span] as const];
    const unknown = controls.flatMap(([name, control]) => choose(control, name, query));
    if (this.#key !== undefined) this.#key.value = query.get(this.#spec.key!.name) ?? '';
    this.#suggestedBy = null;
    if (this.#bars !== undefined) void this.#suggest();
    return unknown;
  }

  start(): void {
    repeat(refreshMs, () => (this.#suggestedBy === null ? this.#suggest() : this.#load(true)));
  }

  #head(): HTMLElement {
    const items = this.#spec.series.values.map(({ label }, s) =>
      el('li', {}, el('span', { class: `swatch series-${s}` }), label),
    );
    const open = el('li', {}, el('span', { class: 'swatch hatched' }), 'window still open');
    const title = el('h2', { id: this.#id }, this.#spec.title);
    return el('div', { class: 'panel-head' }, title, el('ul', { class: 'legend' }, ...items, open));
  }

  #foot(): HTMLElement {
    const line = el('div', { class: 'foot-line' }, this.#summary, ...(this.#csv === undefined ? [] : [this.#csv]));
    return el('div', { class: 'panel-foot' }, line, this.#details);
  }

  #columns(): readonly Column<Bar>[] {
    const series = this.#spec.series.values.map(({ value, label }) => ({
      label,
      numeric: true,
      render: text((bar: Bar) => count(bar.values[value] ?? 0)),
    }));
    return [
      { label: 'Window', render: text(windowLabel) },
      ...series,
      { label: 'All', numeric: true, render: text((bar) => count(bar.total)) },
      { label: 'State', render: text((bar) => (bar.final ? 'closed' : 'open')) },
    ];
  }

  #offer(label: string, choices: readonly { readonly value: string; readonly label: string }[]): HTMLSelectElement {
    const { root, control } = selectField(label, choices);
    this.#controls.append(root);
    return control;
  }

  #offerKey({ label, placeholder }: ChartKey): HTMLInputElement {
    const { root, control } = textField(label, { list: this.#keys.id, placeholder, maxlength: 200 });
    root.append(this.#keys);
    this.#controls.append(root);
    this.#keyField = root;
    return control;
  }

  #changed(control: EventTarget | null): void {
    if (control !== this.#span && control !== this.#key && this.#suggestionsUrl() !== this.#suggestedBy) {
      if (this.#key !== undefined) this.#key.value = '';
      this.#told();
      void this.#suggest();
      return;
    }
    this.#told();
    if (control === this.#span) this.#draw();
    else void this.#load(false);
  }

  /** What is chosen and is not the first choice. */
  #told(): void {
    const query = new Map<string, string>();
    for (const [name, control] of [...this.#selects, ['windows', this.#span] as const])
      if (control.selectedIndex > 0) query.set(name, control.value);
    if (this.#needsKey() && this.#key!.value.trim() !== '') query.set(this.#spec.key!.name, this.#key!.value.trim());
    this.#chosen(query);
  }

  #needsKey(): boolean {
    const { key } = this.#spec;
    if (key === undefined) return false;
    return key.notFor === undefined || this.#selects.get(key.notFor.select)?.value !== key.notFor.value;
  }

  #suggestionsUrl(): string | undefined {
    return this.#needsKey() ? filled(this.#spec.key!.suggestionsUrl, this.#values()).url : undefined;
  }

  /** Some keys to pick from. The first one is shown until another is chosen. */
  async #suggest(): Promise<void> {
    const url = this.#suggestionsUrl();
    this.#suggestedBy = url;
    if (this.#keyField !== undefined) this.#keyField.hidden = url === undefined;
    if (url !== undefined) {
      const found = await getJson<(string | KeyRow)[]>(url).catch(() => []);
      if (this.#suggestedBy !== url) return;
      const keys = found.map((key): KeyRow => (typeof key === 'string' ? { key } : key));
      this.#keys.replaceChildren(
        ...keys.map(({ key, name }) => el('option', name ? { value: key, label: name } : { value: key })),
      );
      if (this.#key!.value === '') this.#key!.value = keys[0]?.key ?? '';
    }
    return this.#load(false);
  }

  #values(): ReadonlyMap<string, string> {
    return new Map([...this.#selects].map(([name, { value }]) => [name, value]));
  }

  #dataUrl(more?: string): string {
    const { url, rest } = filled(this.#spec.dataUrl, this.#values());
    if (this.#needsKey()) rest.set(this.#spec.key!.name, this.#key!.value.trim());
    const query = [rest.toString(), more].filter((part) => part).join('&');
    return query === '' ? url : `${url}${url.includes('?') ? '&' : '?'}${query}`;
  }

  async #load(quietly: boolean): Promise<void> {
    const turn = ++this.#asked;
    if (this.#needsKey() && this.#key!.value.trim() === '') {
      this.#bars = [];
      this.#draw();
      return this.#say('empty', 'Choose a key to see its windows.');
    }
    if (!quietly || this.#bars === undefined) this.root.setAttribute('aria-busy', 'true');
    if (this.#bars === undefined) this.#say('loading', 'Loading…');
    try {
      const rows = await getJson<Counted[]>(this.#dataUrl());
      if (turn !== this.#asked) return;
      this.#bars = this.#stacked(rows);
      this.#name = this.#needsKey() ? (rows.find(({ name }) => name)?.['name'] as string | undefined) : undefined;
      this.#draw();
    } catch (error) {
      // A refresh that fails leaves what is shown: the head of the page says that the server is away.
      if (turn === this.#asked && !(quietly && this.#bars !== undefined)) this.#fail(error);
    } finally {
      if (turn === this.#asked) this.root.removeAttribute('aria-busy');
    }
  }

  #fail(error: unknown): void {
    this.#bars = undefined;
    this.#shown = [];
    this.#summary.textContent = '';
    this.#chart.show([], '');
    if (this.#csv !== undefined) this.#csv.hidden = true;
    this.#say('error', words(error));
    const again = el('button', { type: 'button' }, 'Try again');
    again.addEventListener('click', () => void this.#load(false));
    this.#message.append(again);
  }

  #stacked(rows: readonly Counted[]): Bar[] {
    const bars = new Map<string, Bar>();
    for (const row of rows) {
      const bar = bars.get(String(row['window_start'])) ?? newBar(row);
      bars.set(bar.start, bar);
      const series = String(row[this.#spec.series.field]);
      const n = Number(row['n']);
      bar.values[series] = (bar.values[series] ?? 0) + n;
      bar.total += n;
    }
    return [...bars.values()].sort((a, b) => (a.start < b.start ? -1 : 1));
  }

  #draw(): void {
    if (this.#bars === undefined) return;
    this.#shown = this.#span.value === '' ? this.#bars : this.#bars.slice(-Number(this.#span.value));
    const { unit, title, csvQuery } = this.#spec;
    const said = this.#shown.length === 0 ? '' : this.#inWords(this.#shown);
    write(this.#summary, said);
    this.#chart.show(this.#shown, `${title}: ${said}.`);
    if (this.#csv !== undefined) {
      this.#csv.hidden = this.#shown.length === 0;
      this.#csv.setAttribute('href', this.#dataUrl(csvQuery));
    }
    this.#say('empty', this.#shown.length === 0 ? `No ${unit} for this choice.` : '');
    this.#fillTable();
  }

  #inWords(bars: readonly Bar[]): string {
    const total = bars.reduce((all, bar) => all + bar.total, 0);
    const windows = `${count(bars.length)} ${bars.length === 1 ? 'window' : 'windows'}`;
    const whose = this.#name === undefined ? '' : `${this.#name}: `;
    return `${whose}${count(total)} ${this.#spec.unit} in ${windows}, ${spanLabel(bars)}`;
  }

  #fillTable(): void {
    if (this.#details.open) this.#rows.update([...this.#shown].reverse());
  }

  #say(kind: string, said: string): void {
    this.#message.className = `message ${kind}`;
    this.#message.hidden = said === '';
    this.#message.replaceChildren(el('p', {}, said));
  }
}

function newBar(row: Counted): Bar {
  return {
    start: String(row['window_start']),
    end: String(row['window_end']),
    final: row['final'] === true,
    total: 0,
    values: {},
  };
}
