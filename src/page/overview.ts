import type { PageSpec } from '../http/page/page-spec.ts';
import type { LiveView } from './answers.ts';
import { ApplicationPanels } from './application.ts';
import { ChartPanel } from './chart-panel.ts';
import { el, panel } from './dom.ts';
import { Figures } from './figures.ts';
import { remember } from './place.ts';
import { feedsTable, storesTable, tasksTable } from './status.ts';
import { TimeChart } from './time-chart.ts';
import type { View } from './view.ts';

/** The first view: figures, the charts of the application, and what the engine says of itself. */
export class Overview implements View {
  readonly name = '';
  readonly label = 'Overview';
  readonly root: HTMLElement;
  readonly #figures: Figures;
  readonly #throughput = new TimeChart('Rows read in a second, over the last minutes', [
    { label: 'Rows/s', color: '--series-0' },
  ]);
  readonly #tasks: ReturnType<typeof tasksTable>;
  readonly #feeds = feedsTable();
  readonly #application: ApplicationPanels;
  readonly #tasksPanel: HTMLElement;
  readonly #stores = storesTable();
  readonly #storesNote = el(
    'p',
    { class: 'summary', hidden: true },
    'Writes and caches of this instance. A store is read over all instances.',
  );
  readonly #feedsPanel: HTMLElement = panel('Inputs', this.#feeds.root);
  readonly #charts: readonly ChartPanel[];
  readonly #chosen: ReadonlyMap<string, string>[];
  #started = false;

  constructor({ zone, charts }: PageSpec) {
    this.#figures = new Figures(zone);
    this.#tasks = tasksTable(zone);
    this.#chosen = charts.map(() => new Map());
    this.#charts = charts.map((chart, i) => new ChartPanel(chart, (query) => this.#remember(i, query)));
    this.#tasksPanel = panel('Tasks', this.#tasks.root);
    this.#application = new ApplicationPanels(this.name, zone, (application) => this.#figures.showLag(application));
    const stores = panel('Stores', this.#storesNote, this.#stores.root);
    stores.classList.add('full');
    this.root = el(
      'div',
      { class: 'view' },
      this.#figures.root,
      el('div', { class: 'charts' }, ...this.#charts.map(({ root }) => root)),
      panel('Throughput', this.#throughput.root),
      el('div', { class: 'engine' }, this.#tasksPanel, this.#feedsPanel, ...this.#application.roots, stores),
    );
  }

  show(query: URLSearchParams): readonly string[] {
    const unknown = this.#charts.flatMap((chart, i) => {
      const own = new URLSearchParams();
      for (const [name, value] of query) if (name.startsWith(prefix(i))) own.set(name.slice(prefix(i).length), value);
      return chart.choose(own);
    });
    if (this.#started) return unknown;
    this.#started = true;
    for (const chart of this.#charts) chart.start();
    return unknown;
  }

  update(view: LiveView): void {
    this.#throughput.add(view.nowMs, [this.#figures.update(view)]);
    this.#tasks.update(view.tasks);
    this.#feeds.update(view.feeds);
    this.#feedsPanel.hidden = view.feeds.length === 0;
    this.#tasksPanel.hidden = view.kafka !== undefined;
    this.#storesNote.hidden = view.kafka === undefined;
    if (view.kafka !== undefined) this.#application.start();
    this.#stores.update(view.stores);
  }

  #remember(i: number, query: ReadonlyMap<string, string>): void {
    this.#chosen[i] = query;
    remember(
      this.name,
      this.#chosen.flatMap((each, j) => [...each].map(([name, value]) => [prefix(j) + name, value] as const)),
    );
  }
}

/** What stands before the choices of a chart in the address: nothing for the first one. */
function prefix(i: number): string {
  return i === 0 ? '' : `${i + 1}.`;
}
