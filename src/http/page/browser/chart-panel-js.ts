/** Browser module: a chart with its controls and data. */
export const chartPanelJs: string = `
import { BarChart } from './chart.js';
import { el, table, write } from './dom.js';
import { getJson, Refusal, repeat } from './fetch.js';
import { count, spanLabel, windowLabel } from './format.js';

const refreshMs = 15000;
const spans = [
  { value: '31', label: 'last 31' },
  { value: '92', label: 'last 92' },
  { value: '366', label: 'last 366' },
  { value: '', label: 'all' },
];
let panels = 0;

/** A chart with what can be chosen for it, kept fresh. */
export class ChartPanel {
  constructor(spec) {
    this.spec = spec;
    this.id = 'panel-' + ++panels;
    this.asked = 0;
    this.suggestedBy = null;
    this.chart = new BarChart(spec.series.values, spec.unit);
    this.summary = el('p', { class: 'summary' });
    this.message = el('div', { class: 'message', role: 'status' });
    this.stage = el('div', { class: 'stage' }, this.chart.root, this.message);
    this.rows = table(this.columns(), spec.title + ' as a table');
    this.csv = spec.csvQuery === undefined ? null : el('a', { class: 'quiet', download: true, hidden: true }, 'CSV');
    this.controls = el('form', { class: 'controls', 'aria-label': spec.title });
    this.root = el(
      'section',
      { class: 'panel', 'aria-labelledby': this.id },
      this.head(),
      this.controls,
      this.stage,
      this.foot(),
    );
    this.offer();
  }

  start() {
    repeat(refreshMs, () => (this.suggestedBy === null ? this.suggest() : this.load(true)));
  }

  head() {
    const items = this.spec.series.values.map(({ label }, s) =>
      el('li', {}, el('span', { class: 'swatch series-' + s }), label),
    );
    const open = el('li', {}, el('span', { class: 'swatch hatched' }), 'window still open');
    return el(
      'div',
      { class: 'panel-head' },
      el('h2', { id: this.id }, this.spec.title),
      el('ul', { class: 'legend' }, ...items, open),
    );
  }

  foot() {
    const details = el('details', {}, el('summary', {}, 'Show as a table'), this.rows.root);
    details.addEventListener('toggle', () => this.fillTable());
    this.details = details;
    const line = el('div', { class: 'foot-line' }, this.summary, ...(this.csv === null ? [] : [this.csv]));
    return el('div', { class: 'panel-foot' }, line, details);
  }

  columns() {
    const text = (of) => (cell, bar) => write(cell, of(bar));
    const series = this.spec.series.values.map(({ value, label }) => ({
      label,
      numeric: true,
      render: text((bar) => count(bar.values[value] ?? 0)),
    }));
    return [
      { label: 'Window', render: text(windowLabel) },
      ...series,
      { label: 'All', numeric: true, render: text((bar) => count(bar.total)) },
      { label: 'State', render: text((bar) => (bar.final ? 'closed' : 'open')) },
    ];
  }

  offer() {
    const { selects, key } = this.spec;
    this.selects = new Map(selects.map(({ name, label, choices }) => [name, this.select(label, choices)]));
    if (key !== undefined) this.offerKey(key);
    this.span = this.select('Windows', spans);
    this.controls.addEventListener('submit', (event) => event.preventDefault());
    this.controls.addEventListener('change', (event) => this.changed(event.target));
  }

  select(label, choices) {
    const control = el('select', {}, ...choices.map((choice) => el('option', { value: choice.value }, choice.label)));
    this.controls.append(el('label', { class: 'field' }, el('span', {}, label), control));
    return control;
  }

  offerKey({ label, placeholder }) {
    const listId = this.id + '-keys';
    this.key = el('input', {
      type: 'text',
      list: listId,
      placeholder,
      autocomplete: 'off',
      spellcheck: 'false',
      maxlength: '200',
    });
    this.keys = el('datalist', { id: listId });
    this.keyField = el('label', { class: 'field' }, el('span', {}, label), this.key, this.keys);
    this.controls.append(this.keyField);
  }

  changed(control) {
    if (control === this.span) return this.draw();
    if (control !== this.key && this.key !== undefined && this.suggestionsUrl() !== this.suggestedBy) {
      this.key.value = '';
      this.suggest();
    } else this.load(false);
  }

  needsKey() {
    const { key } = this.spec;
    return (
      key !== undefined &&
      !(key.notFor !== undefined && this.selects.get(key.notFor.select)?.value === key.notFor.value)
    );
  }

  suggestionsUrl() {
    return this.needsKey() ? this.filled(this.spec.key.suggestionsUrl).url : undefined;
  }

  /** Some keys to pick from. The first one is shown until another is chosen. */
  async suggest() {
    const url = this.suggestionsUrl();
    this.suggestedBy = url;
    if (this.key !== undefined) this.keyField.hidden = url === undefined;
    if (url !== undefined) {
      const keys = (await getJson(url).catch(() => [])).map((key) => (typeof key === 'string' ? { key } : key));
      if (this.suggestedBy !== url) return;
      this.keys.replaceChildren(...keys.map(({ key, name }) => el('option', name ? { value: key, label: name } : { value: key })));
      if (this.key.value === '') this.key.value = keys[0]?.key ?? '';
    }
    return this.load(false);
  }

  /** An address with its places filled, and the choices that had no place. */
  filled(template) {
    const rest = new URLSearchParams();
    let url = template;
    for (const [name, control] of this.selects) {
      const place = '{' + name + '}';
      if (url.includes(place)) url = url.replaceAll(place, encodeURIComponent(control.value));
      else if (control.value !== '') rest.set(name, control.value);
    }
    return { url, rest };
  }

  dataUrl(more) {
    const { url, rest } = this.filled(this.spec.dataUrl);
    if (this.needsKey()) rest.set(this.spec.key.name, this.key.value.trim());
    const query = [rest.toString(), more].filter((part) => part).join('&');
    return query === '' ? url : url + (url.includes('?') ? '&' : '?') + query;
  }

  async load(quietly) {
    const turn = ++this.asked;
    if (this.needsKey() && this.key.value.trim() === '') {
      this.bars = [];
      this.draw();
      return this.say('empty', 'Choose a key to see its windows.');
    }
    if (!quietly || this.bars === undefined) this.root.setAttribute('aria-busy', 'true');
    if (this.bars === undefined) this.say('loading', 'Loading…');
    try {
      const rows = await getJson(this.dataUrl());
      if (turn !== this.asked) return;
      this.bars = this.stacked(rows);
      this.name = this.needsKey() ? rows.find(({ name }) => name)?.name : undefined;
      this.draw();
    } catch (error) {
      // A refresh that fails leaves what is shown: the head of the page says that the server is away.
      if (turn === this.asked && !(quietly && this.bars !== undefined)) this.fail(error);
    } finally {
      if (turn === this.asked) this.root.removeAttribute('aria-busy');
    }
  }

  fail(error) {
    this.bars = undefined;
    this.shown = [];
    this.summary.textContent = '';
    this.chart.show([], '');
    if (this.csv !== null) this.csv.hidden = true;
    this.say('error', error instanceof Refusal ? sentence(error.message) : 'The data could not be loaded.');
    const again = el('button', { type: 'button' }, 'Try again');
    again.addEventListener('click', () => this.load(false));
    this.message.append(again);
  }

  stacked(rows) {
    const bars = new Map();
    for (const row of rows) {
      const bar = bars.get(row.window_start) ?? newBar(row);
      bars.set(bar.start, bar);
      const series = row[this.spec.series.field];
      bar.values[series] = (bar.values[series] ?? 0) + row.n;
      bar.total += row.n;
    }
    return [...bars.values()].sort((a, b) => (a.start < b.start ? -1 : 1));
  }

  draw() {
    if (this.bars === undefined) return;
    this.shown = this.span.value === '' ? this.bars : this.bars.slice(-Number(this.span.value));
    const { shown } = this;
    const { unit, title, csvQuery } = this.spec;
    const words = shown.length === 0 ? '' : this.inWords(shown);
    write(this.summary, words);
    this.chart.show(shown, title + ': ' + words + '.');
    if (this.csv !== null) {
      this.csv.hidden = shown.length === 0;
      this.csv.setAttribute('href', this.dataUrl(csvQuery));
    }
    this.say('empty', shown.length === 0 ? 'No ' + unit + ' for this choice.' : '');
    this.fillTable();
  }

  inWords(bars) {
    const total = bars.reduce((all, bar) => all + bar.total, 0);
    const windows = count(bars.length) + (bars.length === 1 ? ' window' : ' windows');
    const whose = this.name === undefined ? '' : this.name + ': ';
    return whose + count(total) + ' ' + this.spec.unit + ' in ' + windows + ', ' + spanLabel(bars);
  }

  fillTable() {
    if (this.details.open) this.rows.update([...(this.shown ?? [])].reverse());
  }

  say(kind, text) {
    this.message.className = 'message ' + kind;
    this.message.hidden = text === '';
    this.message.replaceChildren(el('p', {}, text));
  }
}

function sentence(text) {
  // An address, a setting or an option stays as it is typed.
  if (/^(\\S+:\\/\\/|\\S+[.=]\\S|-)/.test(text)) return text + (text.endsWith('.') ? '' : '.');
  return text.slice(0, 1).toUpperCase() + text.slice(1) + (text.endsWith('.') ? '' : '.');
}

function newBar(row) {
  return { start: row.window_start, end: row.window_end, final: row.final, total: 0, values: {} };
}
`;
