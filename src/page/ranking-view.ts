import type { RankingSpec } from '../http/page/page-spec.ts';
import { el, panel, textField, write } from './dom.ts';
import { getJson, words } from './fetch.ts';
import { FormSelects } from './form-selects.ts';
import { count, dateLabel } from './format.ts';
import { remember } from './place.ts';
import { addDays, type CountRow, change, type Ranked, ranked } from './ranking.ts';
import { filled } from './spec-url.ts';
import { type Table, table, text } from './table.ts';
import type { View } from './view.ts';

interface RankedRow extends Ranked {
  readonly rank: number;
  /** Of the greatest count, 0 to 1. */
  readonly share: number;
}

/** Places of the application in the order of their counts, on one day beside the same day a week before. */
export class RankingPanel implements View {
  readonly name: string;
  readonly label: string;
  readonly root: HTMLElement;
  readonly #spec: RankingSpec;
  readonly #selects: FormSelects;
  readonly #day = textField('Day', { type: 'date' });
  readonly #said = el('p', { class: 'summary', role: 'status' });
  readonly #rows: Table<RankedRow>;
  #asked = 0;

  constructor(spec: RankingSpec) {
    this.name = spec.name;
    this.label = spec.title;
    this.#spec = spec;
    this.#selects = new FormSelects(spec.selects);
    this.#rows = table(columns, spec.title);
    const form = el('form', { class: 'controls', 'aria-label': spec.title }, ...this.#selects.roots, this.#day.root);
    form.addEventListener('submit', (event) => event.preventDefault());
    form.addEventListener('change', () => {
      const { value } = this.#day.control;
      remember(this.name, [...this.#selects.chosen(), ...(value === '' ? [] : [['day', value] as const])]);
      void this.#load();
    });
    const result = el('div', { class: 'result' }, this.#rows.root);
    this.root = el('div', { class: 'view' }, panel(spec.title, form, this.#said, result));
  }

  show(query: URLSearchParams): readonly string[] {
    const unknown = this.#selects.choose(query);
    const day = query.get('day') ?? '';
    this.#day.control.value = isDay(day) ? day : '';
    void this.#load();
    return day === '' || isDay(day) ? unknown : [...unknown, `day=${day}`];
  }

  update(): void {}

  async #load(): Promise<void> {
    const turn = ++this.#asked;
    this.root.setAttribute('aria-busy', 'true');
    write(this.#said, 'Looking…');
    try {
      const day = this.#day.control.value || (await this.#newestDay());
      if (turn !== this.#asked) return;
      if (day === undefined) {
        this.#show([], `There are no ${this.#spec.unit} yet.`);
        return;
      }
      this.#day.control.value = day;
      const [now, before] = await Promise.all([this.#countsOf(day), this.#countsOf(addDays(day, -7))]);
      if (turn !== this.#asked) return;
      const groups = ranked(now, before);
      this.#show(groups, this.#inWords(day, groups));
    } catch (error) {
      if (turn === this.#asked) this.#show([], words(error));
    } finally {
      if (turn === this.#asked) this.root.removeAttribute('aria-busy');
    }
  }

  async #newestDay(): Promise<string | undefined> {
    const days = await getJson<{ readonly window_start: string; readonly final: boolean }[]>(this.#spec.daysUrl);
    return (days.findLast(({ final }) => final) ?? days.at(-1))?.window_start;
  }

  #countsOf(day: string): Promise<CountRow[]> {
    const { url, rest } = filled(this.#spec.dataUrl, this.#selects.values());
    rest.set('from', day);
    rest.set('to', addDays(day, 1));
    return getJson<CountRow[]>(`${url}${url.includes('?') ? '&' : '?'}${rest}`);
  }

  #inWords(day: string, groups: readonly Ranked[]): string {
    const now = groups.reduce((sum, group) => sum + group.now, 0);
    const before = groups.reduce((sum, group) => sum + group.before, 0);
    const { unit } = this.#spec;
    return `${dateLabel(day)}: ${count(now)} ${now === 1 ? unit.replace(/s$/, '') : unit}. A week before: ${count(before)} (${change({ now, before })}).`;
  }

  #show(groups: readonly Ranked[], said: string): void {
    const most = Math.max(...groups.slice(0, 1).map(({ now }) => now), 1);
    this.#rows.update(groups.map((group, i) => ({ ...group, rank: i + 1, share: group.now / most })));
    this.#rows.root.hidden = groups.length === 0;
    write(this.#said, said);
  }
}

/** Whether a text is a date of the calendar: 2018-02-30 is not. */
function isDay(text: string): boolean {
  const ms = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN;
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

const columns: Parameters<typeof table<RankedRow>>[0] = [
  { label: 'Rank', render: text(({ rank }) => String(rank)) },
  { label: 'Place', wraps: true, render: text(({ key, name }) => (name === '' ? key : `${name} (${key})`)) },
  { label: 'Share', wide: true, render: renderShare },
  { label: 'This day', numeric: true, render: text(({ now }) => count(now)) },
  { label: 'A week before', numeric: true, wide: true, render: text(({ before }) => count(before)) },
  { label: 'Change', numeric: true, render: renderChange },
];

function renderShare(cell: HTMLElement, { share }: RankedRow): void {
  const bar =
    cell.querySelector<HTMLElement>('.share') ??
    cell.appendChild(el('div', { class: 'share', 'aria-hidden': 'true' }, el('span')));
  (bar.firstElementChild as HTMLElement).style.width = `${(share * 100).toFixed(1)}%`;
}

function renderChange(cell: HTMLElement, row: RankedRow): void {
  write(cell, change(row));
  cell.classList.toggle('up', row.now > row.before);
  cell.classList.toggle('down', row.now < row.before);
}
