import type { ChartSelect } from '../http/page/page-spec.ts';
import { selectField } from './dom.ts';

/** Sets a control to what an address asks for, or else to its first choice. Gives `name=value` where that is not offered. */
export function choose(control: HTMLSelectElement, name: string, query: URLSearchParams): readonly string[] {
  const offered = [...control.options].map(({ value }) => value);
  const asked = query.get(name);
  const found = asked !== null && offered.includes(asked);
  control.value = found ? asked : offered[0]!;
  return found || asked === null ? [] : [`${name}=${asked}`];
}

/** The choices of a view: their controls, and what they are set to. */
export class FormSelects {
  readonly roots: readonly HTMLElement[];
  readonly #controls: ReadonlyMap<string, HTMLSelectElement>;

  constructor(selects: readonly ChartSelect[]) {
    const fields = selects.map(({ name, label, choices }) => ({ name, ...selectField(label, choices) }));
    this.roots = fields.map(({ root }) => root);
    this.#controls = new Map(fields.map(({ name, control }) => [name, control]));
  }

  /** Takes the choices of an address. Gives those that are not offered. */
  choose(query: URLSearchParams): readonly string[] {
    return [...this.#controls].flatMap(([name, control]) => choose(control, name, query));
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
