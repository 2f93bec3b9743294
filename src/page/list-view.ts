import type { ListSpec } from '../http/page/page-spec.ts';
import { el, panel, write } from './dom.ts';
import { getJson, words } from './fetch.ts';
import { FormSelects } from './form-selects.ts';
import { count } from './format.ts';
import { remember } from './place.ts';
import { filled } from './spec-url.ts';
import { type Table, table, text } from './table.ts';
import type { View } from './view.ts';

type Row = Readonly<Record<string, string | number | null>>;

/** A list of the application's. */
export class ListPanel implements View {
  readonly name: string;
  readonly label: string;
  readonly root: HTMLElement;
  readonly #spec: ListSpec;
  readonly #selects: FormSelects;
  readonly #said = el('p', { class: 'summary', role: 'status' });
  readonly #rows: Table<Row>;
  #asked = 0;

  constructor(spec: ListSpec) {
    this.name = spec.name;
    this.label = spec.title;
    this.#spec = spec;
    this.#selects = new FormSelects(spec.selects);
    const columns = spec.columns.map(({ field, label, numeric = false }, i) => {
      return { label, numeric, wide: i > 2, wraps: true, render: text<Row>((row) => String(row[field] ?? '–')) };
    });
    this.#rows = table(columns, spec.title);
    const form = el('form', { class: 'controls', 'aria-label': spec.title }, ...this.#selects.roots);
    form.addEventListener('change', () => {
      remember(this.name, this.#selects.chosen());
      void this.#load();
    });
    this.root = el(
      'div',
      { class: 'view' },
      panel(spec.title, form, this.#said, el('div', { class: 'result' }, this.#rows.root)),
    );
  }

  show(query: URLSearchParams): readonly string[] {
    const unknown = this.#selects.choose(query);
    void this.#load();
    return unknown;
  }

  update(): void {}

  async #load(): Promise<void> {
    const turn = ++this.#asked;
    write(this.#said, 'Looking…');
    this.root.setAttribute('aria-busy', 'true');
    try {
      const { url, rest } = filled(this.#spec.dataUrl, this.#selects.values());
      const { rows, note } = await getJson<{ rows: readonly Row[]; note?: string }>(`${url}?${rest}`);
      if (turn !== this.#asked) return;
      this.#rows.update(rows);
      this.#rows.root.hidden = rows.length === 0;
      const known =
        rows.length === 0 ? this.#spec.empty : `${count(rows.length)} ${rows.length === 1 ? 'row' : 'rows'}.`;
      write(this.#said, note === undefined ? known : `${known} ${note}`);
    } catch (error) {
      if (turn !== this.#asked) return;
      this.#rows.root.hidden = true;
      write(this.#said, words(error));
    } finally {
      if (turn === this.#asked) this.root.removeAttribute('aria-busy');
    }
  }
}
