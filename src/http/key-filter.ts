import { messageOf } from '../common/errors.ts';
import type { ReadOnlyStore } from '../runtime/read-only-stores.ts';
import { toJson } from './json.ts';
import { HttpProblem } from './problem.ts';
import type { QueryParameter } from './route.ts';

/** Parameters that choose rows by their keys. */
export const keyParameters: Readonly<Record<string, QueryParameter>> = {
  prefix: { description: 'Rows whose key begins with this: the text of the key, or its JSON where keys are no texts.' },
  keyFrom: {
    description: 'Rows whose key is this or comes after it: texts by their UTF-8 bytes, numbers by their size.',
  },
  keyTo: { description: 'Rows whose key is this or comes before it.' },
};

type Keyed = { readonly key: unknown };

/**
 * What lets through the rows whose keys are asked for. It goes through all rows of the store: what stops it is the limit, or the client that goes away.
 *
 * @throws HttpProblem `STREAMS_USAGE` - a bound is not a key of the store, or its keys have no order.
 */
export function keyFilter<Row extends Keyed>(
  store: ReadOnlyStore,
  { prefix, keyFrom, keyTo }: Readonly<Record<string, string>>,
  signal: AbortSignal,
): (rows: AsyncIterable<Row>) => AsyncIterable<Row> {
  if (prefix === undefined && keyFrom === undefined && keyTo === undefined) return (rows) => rows;
  const from = keyFrom === undefined ? undefined : bound(store, keyFrom);
  const to = keyTo === undefined ? undefined : bound(store, keyTo);
  if (from !== undefined && to !== undefined && compared(from, to) > 0)
    throw usage(`keyFrom ${JSON.stringify(from)} comes after keyTo ${JSON.stringify(to)}: no key is between them.`);
  const passes = (key: unknown): boolean =>
    (prefix === undefined || textOf(key).startsWith(prefix)) &&
    (from === undefined || compared(key, from) >= 0) &&
    (to === undefined || compared(key, to) <= 0);
  return async function* filtered(rows) {
    for await (const row of rows) {
      if (signal.aborted) return;
      if (passes(row.key)) yield row;
    }
  };
}

type Ordered = string | number | bigint;

function bound(store: ReadOnlyStore, text: string): Ordered {
  let key: unknown;
  try {
    key = store.parseKey(text);
  } catch (error) {
    throw usage(`${JSON.stringify(text.slice(0, 60))} is not a key of store ${store.name}: ${messageOf(error)}`);
  }
  if (typeof key === 'string' || typeof key === 'number' || typeof key === 'bigint') return key;
  throw usage(`The keys of store ${store.name} are neither texts nor numbers, so they have no range: ask by prefix.`);
}

function compared(key: unknown, other: Ordered): number {
  if (typeof key === 'string' && typeof other === 'string') return Buffer.compare(Buffer.from(key), Buffer.from(other));
  return (key as Ordered) < other ? -1 : (key as Ordered) > other ? 1 : 0;
}

function textOf(key: unknown): string {
  return typeof key === 'string' ? key : toJson(key);
}

function usage(detail: string): HttpProblem {
  return new HttpProblem('STREAMS_USAGE', detail);
}
