import type { LiveView, StoreView } from './answers.ts';
import { el, panel, selectField, textField, write } from './dom.ts';
import { getRows, words } from './fetch.ts';
import { count } from './format.ts';
import { remember } from './place.ts';
import { table, text } from './table.ts';
import type { View } from './view.ts';

/** A row as a store's address gives it. */
interface Row {
  readonly key: unknown;
  readonly start?: string | null;
  readonly end?: string | null;
  readonly value?: unknown;
  readonly timestamp?: number;
  readonly versions?: readonly { readonly validFrom: string | null; readonly value: unknown }[];
}

const ways = [
  { value: '', label: 'All keys' },
  { value: 'key', label: 'One key' },
  { value: 'prefix', label: 'Keys that begin with' },
  { value: 'range', label: 'Keys from … to …' },
];
const limits = ['100', '1000', '10000'].map((value) => ({ value, label: count(Number(value)) }));
const times = { placeholder: '2018-01-31 or 2018-01-31T10:00Z' };

/** Rows of a store, found by key, the beginning of keys, a range of them, and time. What is asked for stands in the address. */
export class StoresPanel implements View {
  readonly name = 'stores';
  readonly label = 'Stores';
  readonly root: HTMLElement;
  readonly #store = selectField('Store', []);
  readonly #by = selectField('Rows', ways);
  readonly #key = textField('Key');
  readonly #to = textField('To key (included)');
  readonly #from = textField('Windows from', times);
  readonly #until = textField('Windows before', times);
  readonly #asOf = textField('As of', times);
  readonly #limit = selectField('At most', limits);
  readonly #form: HTMLFormElement;
  readonly #said = el('p', { class: 'summary', role: 'status' });
  readonly #raw = el('a', { class: 'quiet', hidden: true }, 'JSON lines');
  readonly #result = el('div', { class: 'result' });
  #stores: readonly StoreView[] = [];
  #wanted = new URLSearchParams();
  #asked = 0;

  constructor() {
    const fields = [this.#store, this.#by, this.#key, this.#to, this.#from, this.#until, this.#asOf, this.#limit];
    const show = el('button', { type: 'submit', class: 'main-button' }, 'Show');
    this.#form = el(
      'form',
      { class: 'controls', 'aria-label': 'Rows of a store' },
      ...fields.map(({ root }) => root),
      show,
    );
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#ask();
    });
    for (const { control } of [this.#store, this.#by]) control.addEventListener('change', () => this.#fit());
    const line = el('div', { class: 'foot-line' }, this.#said, this.#raw);
    this.root = el('div', { class: 'view' }, panel('Stores', this.#form, line, this.#result));
  }

  show(query: URLSearchParams): readonly string[] {
    this.#wanted = query;
    this.#take();
    const offered = { by: ways, limit: limits };
    return Object.entries(offered).flatMap(([name, choices]) => {
      const asked = query.get(name);
      return asked === null || choices.some(({ value }) => value === asked) ? [] : [`${name}=${asked}`];
    });
  }

  update({ stores }: LiveView): void {
    const names = stores.map(({ name }) => name).join('\n');
    if (names === this.#stores.map(({ name }) => name).join('\n')) return;
    this.#stores = stores;
    this.#store.control.replaceChildren(...stores.map(({ name }) => el('option', { value: name }, name)));
    this.#take();
  }

  /** Shows what the address asks for, once it is known which stores there are. */
  #take(): void {
    if (this.#stores.length === 0) {
      write(this.#said, 'There are no stores.');
      return;
    }
    const asked = this.#wanted;
    const first = this.#stores[0]!.name;
    const name = asked.get('store') ?? first;
    // A store that there is not any more is asked for all the same: the server says which there are.
    if (!this.#stores.some((store) => store.name === name))
      this.#store.control.append(el('option', { value: name }, name));
    this.#store.control.value = name;
    this.#by.control.value = ways.some(({ value }) => value === asked.get('by')) ? asked.get('by')! : '';
    this.#key.control.value = asked.get('key') ?? '';
    this.#to.control.value = asked.get('to') ?? '';
    this.#from.control.value = asked.get('from') ?? '';
    this.#until.control.value = asked.get('until') ?? '';
    this.#asOf.control.value = asked.get('asOf') ?? '';
    this.#limit.control.value = limits.some(({ value }) => value === asked.get('limit')) ? asked.get('limit')! : '100';
    this.#fit();
    if (asked.has('store')) void this.#load();
  }

  /** Offers what fits the store and the way. */
  #fit(): void {
    const by = this.#by.control.value;
    const kind = this.#kind();
    this.#key.root.hidden = by === '';
    write(this.#key.root.querySelector('span')!, by === 'range' ? 'From key' : by === 'prefix' ? 'Beginning' : 'Key');
    this.#to.root.hidden = by !== 'range';
    this.#from.root.hidden = kind !== 'window';
    this.#until.root.hidden = kind !== 'window';
    this.#asOf.root.hidden = kind !== 'versioned' || by !== 'key';
    this.#limit.root.hidden = by === 'key' && kind !== 'window';
  }

  #kind(): StoreView['kind'] | undefined {
    return this.#stores.find(({ name }) => name === this.#store.control.value)?.kind;
  }

  #ask(): void {
    const named = { store: this.#store, by: this.#by, key: this.#key, to: this.#to } as const;
    const more = { from: this.#from, until: this.#until, asOf: this.#asOf, limit: this.#limit } as const;
    const chosen = Object.entries({ ...named, ...more }).flatMap(([name, { root, control }]) => {
      const value = name === 'key' || name === 'to' ? control.value : control.value.trim();
      return root.hidden || value === '' || (name === 'limit' && value === '100') ? [] : [[name, value] as const];
    });
    remember(this.name, chosen);
    void this.#load();
  }

  /** The address of the rows that are asked for. */
  #url(limit: number | undefined): string {
    const by = this.#by.control.value;
    const windows = this.#kind() === 'window';
    const key = this.#key.control.value;
    const query = new URLSearchParams();
    const set = (name: string, value: string): void => {
      if (value !== '') query.set(name, value);
    };
    if (by === 'prefix') set('prefix', key);
    if (by === 'range') {
      set('keyFrom', key);
      set('keyTo', this.#to.control.value);
    }
    if (windows) {
      set('from', this.#from.control.value.trim());
      set('to', this.#until.control.value.trim());
    }
    if (!this.#asOf.root.hidden) set('asOf', this.#asOf.control.value.trim());
    const one = by === 'key' ? `${windows ? '/windows' : ''}/${encodeURIComponent(key)}` : '';
    if ((by !== 'key' || windows) && limit !== undefined) set('limit', String(limit));
    const text = query.toString();
    return `/stores/${encodeURIComponent(this.#store.control.value)}${one}${text === '' ? '' : `?${text}`}`;
  }

  async #load(): Promise<void> {
    const turn = ++this.#asked;
    if (this.#by.control.value === 'key' && this.#key.control.value === '') {
      this.#result.replaceChildren();
      this.#raw.hidden = true;
      return write(this.#said, 'Type a key.');
    }
    const limit = Number(this.#limit.control.value);
    this.#raw.setAttribute('href', this.#url(limit));
    this.root.setAttribute('aria-busy', 'true');
    write(this.#said, 'Looking…');
    try {
      // One more than is shown says whether there are more.
      const rows = await getRows<Row>(this.#url(limit + 1));
      if (turn !== this.#asked) return;
      this.#raw.hidden = false;
      this.#show(rows.slice(0, limit), rows.length > limit);
    } catch (error) {
      if (turn !== this.#asked) return;
      this.#raw.hidden = true;
      this.#result.replaceChildren(el('p', { class: 'problem' }, words(error)));
      write(this.#said, 'No rows.');
    } finally {
      if (turn === this.#asked) this.root.removeAttribute('aria-busy');
    }
  }

  #show(rows: readonly Row[], more: boolean): void {
    const known = `${count(rows.length)} ${rows.length === 1 ? 'row' : 'rows'}`;
    write(
      this.#said,
      rows.length === 0 ? 'There are no such rows.' : more ? `The first ${known}; there are more.` : known,
    );
    if (rows.length === 0) {
      this.#result.replaceChildren();
      return;
    }
    const found = table<Row>(columnsOf(rows[0]!), `Rows of ${this.#store.control.value}`);
    found.update(rows);
    this.#result.replaceChildren(found.root);
  }
}

function columnsOf(row: Row): Parameters<typeof table<Row>>[0] {
  const key = { label: 'Key', wraps: true, render: text<Row>((each) => shown(each.key)) };
  if (row.versions !== undefined)
    return [
      key,
      { label: 'Versions', wraps: true, render: text((each) => (each.versions ?? []).map(versionText).join('\n')) },
    ];
  const value = { label: 'Value', wraps: true, render: text<Row>((each) => shown(each.value)) };
  const at = { label: 'Event time', wide: true, render: text<Row>((each) => timeText(each.timestamp)) };
  if (row.start === undefined) return [key, value, at];
  return [
    key,
    { label: 'Window', wraps: true, render: text((each) => `${short(each.start)} to ${short(each.end)}`) },
    value,
    at,
  ];
}

function versionText({ validFrom, value }: { readonly validFrom: string | null; readonly value: unknown }): string {
  return `${validFrom === null ? 'ever' : short(validFrom)}: ${value === null ? 'nothing' : shown(value)}`;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function timeText(ms: number | undefined): string {
  return ms === undefined || ms < 0 ? '–' : short(new Date(ms).toISOString());
}

/** An instant without milliseconds that are none. */
function short(iso: string | null | undefined): string {
  return iso?.replace('.000Z', 'Z') ?? '…';
}
