/** A value that can be chosen, and how the page calls it. */
export interface Choice {
  readonly value: string;
  readonly label: string;
}

/** A choice that a chart offers. The first one is taken at the start. */
export interface ChartSelect {
  /** Fills `{name}` in the chart's addresses; where they have no such place, it becomes a query parameter unless it is empty. */
  readonly name: string;
  readonly label: string;
  readonly choices: readonly Choice[];
}

/** A key to be typed or picked: the chart shows one key's windows. */
export interface ChartKey {
  /** Name of the query parameter. */
  readonly name: string;
  readonly label: string;
  readonly placeholder: string;
  /** Address of a JSON array of some keys, with places such as `{grouping}`: texts, or objects with `key` and `name`. */
  readonly suggestionsUrl: string;
  /** Not asked for while this select has this value: there is one group then. */
  readonly notFor?: { readonly select: string; readonly value: string };
}

/**
 * A chart of a windowed statistic: a bar for each window, stacked by series.
 *
 * Its data is a JSON array of objects with `window_start` and `window_end` (civil dates, the end not included), `n`, `final` (whether the
 * window is closed), the field of the series, and maybe `name`, that of the key that is shown.
 */
export interface ChartSpec {
  readonly title: string;
  /** Address of the data, with places such as `/statistics/{period}/{grouping}`. */
  readonly dataUrl: string;
  /** Query that gives the same data as CSV, such as `format=csv`, if there is one. */
  readonly csvQuery?: string;
  readonly selects: readonly ChartSelect[];
  readonly key?: ChartKey;
  /** The field whose values are stacked, and these values from the bottom up, at most four. */
  readonly series: { readonly field: string; readonly values: readonly Choice[] };
  /** What is counted, in the plural, such as `events`. */
  readonly unit: string;
}

/**
 * Groups of a daily statistic in the order of their counts, on one day beside the same day a week before. A view of its own.
 *
 * Its data are rows as of a chart, with the `key` of a group and maybe its `name`; they are asked for with `from` and `to`, civil dates, the end not included.
 */
export interface RankingSpec {
  /** Its part of the page's address, such as `places`. */
  readonly name: string;
  readonly title: string;
  /** Address of the data, with places such as `/statistics/day/{grouping}`. */
  readonly dataUrl: string;
  /** Address of rows of which one is there for each day: the newest that is closed is shown first. */
  readonly daysUrl: string;
  readonly selects: readonly ChartSelect[];
  /** What is counted, in the plural. */
  readonly unit: string;
}

/** A list of rows. A view of its own. Its data is an object with `rows`, and maybe `note`, a sentence about them. */
export interface ListSpec {
  /** Its part of the page's address. */
  readonly name: string;
  readonly title: string;
  readonly dataUrl: string;
  readonly selects: readonly ChartSelect[];
  readonly columns: readonly { readonly field: string; readonly label: string; readonly numeric?: boolean }[];
  /** Said where there are no rows. */
  readonly empty: string;
}

/** The application's part of the page. */
export interface PageSpec {
  readonly title: string;
  /** IANA zone in which the page writes event times. @defaultValue the browser's */
  readonly zone?: string;
  readonly charts: readonly ChartSpec[];
  /** @defaultValue none */
  readonly rankings?: readonly RankingSpec[];
  /** @defaultValue none */
  readonly lists?: readonly ListSpec[];
}
