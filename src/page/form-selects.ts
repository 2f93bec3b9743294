import type { ChartSelect } from '../http/page/page-spec.ts';
import { selectField } from './dom.ts';

/** The choices of a view: their controls, and what they are set to. */
export class FormSelects {
  readonly roots: readonly HTMLElement[];
  readonly #controls: ReadonlyMap<string, HTMLSelectElement>;

  constructor(selects: readonly ChartSelect[]) {
    const fields = selects.map(({ name, label, choices }) => ({ name, ...selectField(label, choices) }));
    this.roots = fields.map(({ root }) => root);
    this.#controls = new Map(fields.map(({ name, control }) => [name, control]));
  }

  /** Takes the choices of an address; those that it lacks are the first ones. */
  choose(query: URLSearchParams): void {
    for (const [name, control] of this.#controls) {
      const offered = [...control.options].map(({ value }) => value);
      const asked = query.get(name);
      control.value = asked !== null && offered.includes(asked) ? asked : offered[0]!;
    }
  }

  values(): ReadonlyMap<string, string> {
    return new Map([...this.#controls].map(([name, { value }]) => [name, value]));
  }

  /** What is chosen and is not the first choice. */
  chosen(): [string, string][] {
    return [...this.#controls].flatMap(([name, { value, selectedIndex }]): [string, string][] =>
      selectedIndex > 0 ? [[name, value]] : [],
    );
  }
}
