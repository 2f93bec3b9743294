import { messageOf } from '../common/errors.ts';
import type {
  ReadOnlyKeyValueStore,
  ReadOnlyStore,
  ReadOnlyVersionedStore,
  ReadOnlyWindowStore,
  StoreReadOptions,
  WindowRow,
} from '../runtime/read-only-stores.ts';
import { earliestMs, latestMs, parseInstant } from './instant.ts';
import { jsonResponse, toJson } from './json.ts';
import { keyFilter, keyParameters } from './key-filter.ts';
import { HttpProblem } from './problem.ts';
import { type QueryParameter, type Route, staleParameter } from './route.ts';
import type { ServedEngine } from './served-engine.ts';
import { streamText } from './text-stream.ts';

const instant = (description: string): QueryParameter => ({
  description: `${description} Ms since the epoch, or an ISO date or time; UTC without an offset.`,
  parse: (text) => String(parseInstant(text)),
});
const range: Route['query'] = {
  from: instant('Windows that start at or after this.'),
  to: instant('Windows that start before this.'),
};
const limit: QueryParameter = {
  description: 'At most so many rows.',
  parse(text) {
    if (!/^[1-9]\d{0,14}$/.test(text)) throw new Error('give a whole number from 1');
    return text;
  },
};

/** Interactive queries: what the stores hold as of the last commit. Ranges are streamed, one JSON object a line. */
export function storeRoutes(engine: ServedEngine): readonly Route[] {
  return [
    {
      path: '/stores',
      summary: 'All stores, with their caches',
      query: {},
      handle: () => jsonResponse({ stores: storesView(engine) }),
    },
    {
      path: '/stores/:name',
      summary: 'All rows of a store, one JSON object a line',
      scan: 'client',
      query: { ...keyParameters, ...range, limit, stale: staleParameter },
      handle({ params, query, signal }) {
        const store = engine.store(params.name!, readOptions(query));
        const rows = keyFilter(store, query, signal)(rowsOf(store, query));
        return streamText(lines(rows, Number(query.limit ?? Number.POSITIVE_INFINITY)), ndjson);
      },
    },
    {
      path: '/stores/:name/:key',
      summary: 'The value of a key',
      query: { asOf: instant('The version valid at this time, of a versioned store.'), stale: staleParameter },
      async handle({ params, query }) {
        const store = engine.store(params.name!, readOptions(query));
        return jsonResponse(await valueView(store, params.key!, query.asOf));
      },
    },
    {
      path: '/stores/:name/windows/:key',
      summary: 'The windows of a key, oldest first, one JSON object a line',
      scan: 'client',
      query: { ...range, limit, stale: staleParameter },
      handle({ params, query }) {
        const store = engine.store(params.name!, readOptions(query));
        if (store.kind !== 'window') throw usage(`Store ${store.name} is not a window store: ask /stores/NAME/KEY.`);
        const rows = windowsView(store.fetchKey(parsedKey(store, params.key!), ...bounds(query)));
        return streamText(lines(rows, Number(query.limit ?? Number.POSITIVE_INFINITY)), ndjson);
      },
    },
  ];
}

const ndjson = 'application/x-ndjson';

function readOptions(query: Readonly<Record<string, string>>): StoreReadOptions {
  return { stale: query.stale === 'ok' };
}

/** The answer of `/stores`. */
export function storesView(engine: ServedEngine): object[] {
  const stats = new Map(engine.stats().stores.map((each) => [each.store, each]));
  return engine.storeNames().map((name) => {
    const { store: _, ...numbers } = stats.get(name) ?? { store: name, kind: engine.store(name).kind };
    return { name, ...numbers };
  });
}

/** A row as it is written, with its key. */
type KeyedRow = Readonly<Record<string, unknown>> & { readonly key: unknown };

function rowsOf(store: ReadOnlyStore, query: Readonly<Record<string, string>>): AsyncIterable<KeyedRow> {
  if (store.kind === 'window') return windowsView(store.fetchAll(...bounds(query)));
  if (query.from !== undefined || query.to !== undefined) {
    throw usage(`Store ${store.name} is not a window store: it has no from and to.`);
  }
  return store.kind === 'versioned' ? versionsView(store) : store.all();
}

/** @throws HttpProblem `STREAMS_USAGE` - no window can start between them. */
function bounds(query: Readonly<Record<string, string>>): [fromMs: number, toMs: number] {
  const [fromMs, toMs] = [Number(query.from ?? earliestMs), Number(query.to ?? latestMs)];
  if (fromMs < toMs) return [fromMs, toMs];
  throw usage(`from ${isoTime(fromMs)} is not before to ${isoTime(toMs)}: from is included, to is not.`);
}

async function* windowsView(rows: AsyncIterable<WindowRow<unknown, unknown>>): AsyncIterable<KeyedRow> {
  let lastMs: number | undefined;
  let start: string | null = null;
  let end: string | null = null;
  for await (const { windowed, value, timestamp } of rows) {
    const { key, startMs, endMs } = windowed;
    // Rows come by their windows: most have the same one as the row before.
    if (startMs !== lastMs) {
      lastMs = startMs;
      start = isoTime(startMs);
      end = isoTime(endMs);
    }
    yield { key, start, end, startMs, endMs, value, timestamp };
  }
}

async function* versionsView(store: ReadOnlyVersionedStore<unknown, unknown>): AsyncIterable<KeyedRow> {
  for await (const { key, versions } of store.all()) {
    yield {
      key,
      versions: versions.map(({ validFromMs, value }) => ({
        validFrom: isoTime(validFromMs),
        validFromMs,
        value: value ?? null,
      })),
    };
  }
}

/** ISO text of an instant, or null for the ends of time, which have none. */
function isoTime(ms: number): string | null {
  return ms >= earliestMs && ms < latestMs ? new Date(ms).toISOString() : null;
}

async function* lines(rows: AsyncIterable<object>, most: number): AsyncIterable<string> {
  let left = most;
  for await (const row of rows) {
    yield `${toJson(row)}\n`;
    if (--left === 0) return;
  }
}

async function valueView(store: ReadOnlyStore, keyText: string, asOf: string | undefined): Promise<object> {
  if (store.kind === 'window') throw usage(`Store ${store.name} is a window store: ask /stores/NAME/windows/KEY.`);
  const key = parsedKey(store, keyText);
  if (store.kind === 'versioned') return versionView(store, key, keyText, asOf);
  if (asOf !== undefined) throw usage(`Store ${store.name} is not a versioned store: it has no asOf.`);
  const found = await store.get(key);
  if (found === undefined) throw noSuchKey(store, keyText);
  return { key, value: found.value, timestamp: found.timestamp };
}

async function versionView(
  store: ReadOnlyVersionedStore<unknown, unknown>,
  key: unknown,
  keyText: string,
  asOf: string | undefined,
): Promise<object> {
  const asOfMs = asOf === undefined ? undefined : Number(asOf);
  const value = await store.get(key, asOfMs);
  if (value === undefined) throw noSuchKey(store, keyText, asOfMs);
  return { key, asOf: asOfMs === undefined ? null : isoTime(asOfMs), value };
}

function parsedKey(
  store:
    | ReadOnlyKeyValueStore<unknown, unknown>
    | ReadOnlyWindowStore<unknown, unknown>
    | ReadOnlyVersionedStore<unknown, unknown>,
  text: string,
): unknown {
  try {
    return store.parseKey(text);
  } catch (error) {
    throw usage(`${JSON.stringify(text.slice(0, 60))} is not a key of store ${store.name}: ${messageOf(error)}`);
  }
}

function noSuchKey(store: ReadOnlyStore, text: string, asOfMs?: number): HttpProblem {
  const when = asOfMs === undefined ? '' : ` as of ${isoTime(asOfMs)}`;
  return new HttpProblem(
    'HTTP_NOT_FOUND',
    `Store ${store.name} has no key ${JSON.stringify(text.slice(0, 60))}${when}.`,
  );
}

function usage(detail: string): HttpProblem {
  return new HttpProblem('STREAMS_USAGE', detail);
}
