import type { LiveView } from './answers.ts';

/** One of the things that the page can show, under its own address. */
export interface View {
  /** Its part of the address; empty for the first view. */
  readonly name: string;
  readonly label: string;
  readonly root: HTMLElement;
  /** It is looked at now, at this query. Gives what of it the view does not offer, such as `day=yesterday`: the first choice stands there instead. */
  show(query: URLSearchParams): readonly string[];
  /** New figures, whether it is looked at or not. */
  update(live: LiveView): void;
}
