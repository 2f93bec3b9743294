import type { ApplicationTaskView, ApplicationView, InputView, InstanceView } from './answers.ts';
import { el, panel, write } from './dom.ts';
import { getJson, repeat, words } from './fetch.ts';
import { count, moment, reasons, stateWords } from './format.ts';
import { place } from './place.ts';
import { type Table, table, text } from './table.ts';

const askEveryMs = 2000;

/** All of an application on Kafka: its instances, tasks and positions, wherever they are. */
export class ApplicationPanels {
  readonly roots: readonly HTMLElement[];
  readonly #view: string;
  readonly #said = el('p', { class: 'summary', role: 'status' });
  readonly #instances = instancesTable();
  readonly #tasks: Table<ApplicationTaskView>;
  readonly #positions = positionsTable();
  readonly #told: (application: ApplicationView) => void;
  #started = false;

  /**
   * @param view - Name of the view that they stand in.
   * @param told - Called with each answer.
   */
  constructor(view: string, zone: string | undefined, told: (application: ApplicationView) => void) {
    this.#view = view;
    this.#told = told;
    this.#tasks = applicationTasksTable(zone);
    const instances = panel('Instances', this.#said, this.#instances.root);
    const tasks = panel('Tasks', this.#tasks.root);
    for (const each of [instances, tasks]) each.classList.add('full');
    this.roots = [instances, tasks, panel('Positions', this.#positions.root)];
    for (const root of this.roots) root.hidden = true;
  }

  /** Shows them from now on. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    for (const root of this.roots) root.hidden = false;
    repeat(askEveryMs, async () => {
      if (place().view === this.#view) await this.#load();
    });
  }

  async #load(): Promise<void> {
    try {
      const application = await getJson<ApplicationView>('/application');
      this.#instances.update(application.instances);
      this.#tasks.update(application.tasks);
      this.#positions.update(application.inputs);
      this.#say(saidOf(application));
      this.#told(application);
    } catch (error) {
      this.#say(words(error));
    }
  }

  #say(what: string): void {
    write(this.#said, what);
    this.#said.hidden = what === '';
  }
}

/** What is to be said beside the table: who does not answer, and that nobody has anything yet. */
function saidOf({ instances }: ApplicationView): string {
  if (instances.length === 0) return 'The group has not given out its tasks yet.';
  const silent = instances.filter(({ problem }) => problem !== undefined);
  return silent.map(({ endpoint, problem }) => `${endpoint === '' ? 'An instance: ' : ''}${problem}`).join(' ');
}

function instancesTable(): Table<InstanceView> {
  const known = (of: (instance: InstanceView) => number | null) => (instance: InstanceView) => orDash(of(instance));
  return table(
    [
      { label: 'Instance', render: instanceLink },
      { label: 'State', render: text(({ state }) => (state === null ? 'does not answer' : stateWords(state))) },
      { label: 'Tasks', wraps: true, render: text(({ active }) => active.join(' ') || 'none') },
      { label: 'Standby tasks', wraps: true, wide: true, render: text(({ standby }) => standby.join(' ') || 'none') },
      { label: 'Behind', numeric: true, render: text(known(({ behind }) => behind)) },
      { label: 'Late', numeric: true, wide: true, render: text(known(({ lateLetters }) => lateLetters)) },
      { label: 'Dead', numeric: true, wide: true, render: text(known(({ deadLetters }) => deadLetters)) },
    ],
    'Instances',
  );
}

function instanceLink(cell: HTMLElement, { endpoint, own }: InstanceView): void {
  const note = own ? ' (this one)' : '';
  if (endpoint === '') {
    write(cell, `without an address${note}`);
    return;
  }
  if (cell.textContent === endpoint + note) return;
  cell.replaceChildren(el('a', { href: `http://${endpoint}/` }, endpoint), note);
}

function applicationTasksTable(zone: string | undefined): Table<ApplicationTaskView> {
  return table(
    [
      { label: 'Task', render: text(({ taskId }) => taskId) },
      { label: 'Instance', render: text(({ endpoint }) => endpoint || 'without an address') },
      {
        label: 'Reads',
        wide: true,
        render: text(({ topics, partition }) => (topics.length === 0 ? '–' : `${topics.join(', ')} [${partition}]`)),
      },
      { label: 'State', render: text(statusOf) },
      { label: 'Processed', numeric: true, render: text(({ processed }) => orDash(processed)) },
      { label: 'Behind', numeric: true, render: text(({ behind }) => orDash(behind)) },
      {
        label: 'Event time',
        numeric: true,
        wraps: true,
        wide: true,
        render: text(({ streamTimeMs }) => (streamTimeMs === null ? '–' : moment(streamTimeMs, zone))),
      },
      {
        label: 'Dropped',
        wraps: true,
        wide: true,
        render: text(({ dropped }) => (dropped === null ? '–' : reasons(dropped) || 'none')),
      },
    ],
    'Tasks',
  );
}

function statusOf({ status, restore }: ApplicationTaskView): string {
  if (status !== 'restoring' || restore === undefined) return status;
  return `restoring, ${count(restore.restored)} of ${count(restore.total)}`;
}

function positionsTable(): Table<InputView> {
  return table(
    [
      { label: 'Topic', render: text((input) => input.topic) },
      { label: 'Partition', numeric: true, render: text((input) => String(input.partition)) },
      { label: 'Position', numeric: true, render: text((input) => count(input.position)) },
      { label: 'End', numeric: true, wide: true, render: text((input) => orDash(input.end)) },
      { label: 'Behind', numeric: true, render: text((input) => orDash(input.lag)) },
      { label: 'Task', wide: true, render: text((input) => input.taskId) },
    ],
    'Positions',
  );
}

function orDash(n: number | null): string {
  return n === null ? '–' : count(n);
}
