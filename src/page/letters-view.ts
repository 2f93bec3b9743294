import type { LetterSample } from '../runtime/letter-sample.ts';
import { el, panel, selectField, write } from './dom.ts';
import { getJson, repeat, words } from './fetch.ts';
import { choose } from './form-selects.ts';
import { ago, count } from './format.ts';
import { place, remember } from './place.ts';
import { type Table, table, text } from './table.ts';
import type { View } from './view.ts';

const askEveryMs = 5000;
const kinds = [
  { value: '', label: 'Dead and late' },
  { value: 'dead', label: 'Dead' },
  { value: 'late', label: 'Late' },
];

/** A letter; `instance` is another one that has met it. */
type Letter = LetterSample & { readonly instance?: string };

/** The answer of `/letters?of=application`. */
interface LettersAnswer {
  readonly letters: readonly Letter[];
  /** Who does not answer, and why. */
  readonly problems: readonly { readonly instance: string; readonly problem: string }[];
}

/** Records that were not processed: why, where they came from, and what they are. */
export class LettersPanel implements View {
  readonly name = 'letters';
  readonly label = 'Letters';
  readonly root: HTMLElement;
  readonly #kind = selectField('Kind', kinds);
  readonly #said = el('p', { class: 'summary', role: 'status' });
  readonly #rows: Table<Letter>;
  #started = false;

  constructor() {
    this.#rows = table<Letter>(
      [
        { label: 'Kind', render: text(({ kind }) => kind) },
        { label: 'Reason', render: text(({ reason }) => reason.replaceAll('_', ' ')) },
        { label: 'Where', wraps: true, render: text(whereOf) },
        { label: 'Record', wraps: true, render: text((letter) => recordOf(letter)) },
        { label: 'Explanation', wraps: true, wide: true, render: text(({ message }) => message) },
        { label: 'Instance', wraps: true, wide: true, render: text(instanceOf) },
        { label: 'Met', numeric: true, wide: true, render: text(({ atMs }) => ago(Date.now() - atMs)) },
      ],
      'Dead and late records',
    );
    const form = el('form', { class: 'controls', 'aria-label': 'Letters' }, this.#kind.root);
    this.#kind.control.addEventListener('change', () => {
      const { value } = this.#kind.control;
      remember(this.name, value === '' ? [] : [['kind', value]]);
      void this.#load();
    });
    const result = el('div', { class: 'result' }, this.#rows.root);
    this.root = el('div', { class: 'view' }, panel('Dead and late records', form, this.#said, result));
  }

  show(query: URLSearchParams): readonly string[] {
    const unknown = choose(this.#kind.control, 'kind', query);
    if (this.#started) {
      void this.#load();
      return unknown;
    }
    this.#started = true;
    repeat(askEveryMs, async () => {
      if (place().view === this.name) await this.#load();
    });
    return unknown;
  }

  update(): void {}

  async #load(): Promise<void> {
    const kind = this.#kind.control.value;
    try {
      const asked = `/letters?of=application${kind === '' ? '' : `&kind=${kind}`}`;
      const { letters, problems } = await getJson<LettersAnswer>(asked);
      this.#rows.update(letters);
      this.#rows.root.hidden = letters.length === 0;
      const silent = problems
        .map(({ instance, problem }) => ` ${instance === '' ? 'An instance: ' : ''}${problem}`)
        .join('');
      write(this.#said, saidOf(letters.length, kind) + silent);
    } catch (error) {
      write(this.#said, words(error));
    }
  }
}

function saidOf(n: number, kind: string): string {
  const what = kind === '' ? 'dead or late' : kind;
  if (n === 0)
    return `No ${what} record was met since the last start. Those of before are in the letters' file or topic.`;
  return `${count(n)} of the ${what} records that were met since the last start, newest first. All are in the letters' file or topic.`;
}

function whereOf({ topic, file, line, partition, offset }: LetterSample): string {
  return file === undefined ? `${topic}-${partition}@${offset}` : `${file}:${line}`;
}

/** Files are read by one process. */
function instanceOf({ instance, file }: Letter): string {
  return instance ?? (file === undefined ? 'this one' : '');
}

function recordOf({ key, text: value }: LetterSample): string {
  const shown = value ?? '(no value)';
  return key === undefined ? shown : `${key}: ${shown}`;
}
