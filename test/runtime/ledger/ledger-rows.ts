import fc from 'fast-check';
import { Serdes, StreamsBuilder, TimeWindows, type Topology } from '../../../src/index.ts';

/** What a record of the tests holds. */
export interface Entry {
  readonly at: number;
  readonly arrived: number;
  readonly what: string;
}

export const sizeMs = 10;
export const graceMs = 5;
export const maxFutureMs = 1000;

/** Records of each key in windows of 10 ms with 5 ms of grace. One whose `what` is `fail` makes a node throw. */
export function ledgerTopology(): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream<string, Entry>('rows', {
      name: 'rows',
      keySerde: Serdes.string,
      valueSerde: Serdes.json<Entry>(),
      timestampExtractor: ({ value }) => (value as Entry).at,
      arrivalTime: ({ value }) => (value as Entry).arrived,
    })
    .peek(
      (_key, { what }) => {
        if (what === 'fail') throw new Error('it cannot be');
      },
      { name: 'look' },
    )
    .groupByKey()
    .windowedBy(TimeWindows.ofSizeAndGrace(sizeMs, graceMs))
    .count({ name: 'counts' });
  return builder.build();
}

/** A record of the topology, or something that never becomes one. */
export type LedgerRow =
  | { readonly kind: 'record'; readonly key: string | undefined; readonly entry: Entry }
  | { readonly kind: 'bad'; readonly bytes: Buffer; readonly reason: string };

const times = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 0, max: 60 }) },
  { weight: 1, arbitrary: fc.constantFrom(-1, -3_600_000, -2_208_988_800_000, 0.5) },
  { weight: 1, arbitrary: fc.constant(50_000) },
);
const keys = fc.constantFrom('a', 'b', 'c,d', 'e "f"', 'g\nh', 'i\r\nj', 'k\rl', '\0', 'é', '𝄞', '');

export const anyRecord: fc.Arbitrary<LedgerRow> = fc.record({
  kind: fc.constant('record' as const),
  key: keys.map((key) => (key === '' ? undefined : key)),
  entry: fc.record({
    at: times,
    arrived: fc.constant(100),
    what: fc.constantFrom('', '', '', '', 'fail'),
  }),
});

const allTimes = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY };

/** What becomes of a row. */
export type Fate = 'counted' | 'skipped' | string;

/** The rules once more, row by row: each row's fate, and the counts as `key@start count`. */
export class Recount {
  readonly fates: Fate[] = [];
  readonly #counts = new Map<string, number>();
  readonly #range: { readonly fromMs: number; readonly toMs: number };
  #clockMs = -1;

  /** Rows of other times are skipped. */
  constructor(range: { readonly fromMs: number; readonly toMs: number } = allTimes) {
    this.#range = range;
  }

  take(row: LedgerRow): Fate {
    const fate = row.kind === 'bad' ? row.reason : this.#fateOf(row.key, row.entry);
    this.fates.push(fate);
    return fate;
  }

  counts(): string[] {
    return [...this.#counts].map(([key, count]) => `${key} ${count}`).sort();
  }

  #fateOf(key: string | undefined, { at, arrived, what }: Entry): Fate {
    if (at < this.#range.fromMs || at >= this.#range.toMs) return 'skipped';
    if (at < 0 || at % 1 !== 0) return 'invalid_timestamp';
    if (at > arrived + maxFutureMs) return 'future';
    if (what === 'fail') return 'processing';
    if (key === undefined) return 'null_key';
    this.#clockMs = Math.max(this.#clockMs, at);
    const start = Math.floor(at / sizeMs) * sizeMs;
    if (start + sizeMs <= this.#clockMs - graceMs) return 'late';
    const place = `${key}@${start}`;
    this.#counts.set(place, (this.#counts.get(place) ?? 0) + 1);
    return 'counted';
  }
}

/** How many of each there are. */
export function tally(values: Iterable<string>): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const value of values) sums[value] = (sums[value] ?? 0) + 1;
  return sums;
}
