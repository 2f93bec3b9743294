import { StreamsError } from '../common/errors.ts';
import { encodeRows, rowsType } from '../runtime/parts/row-frames.ts';
import { type FoundPart, partScopes, type SharedParts } from '../runtime/parts/shared-state.ts';
import { type StorePart, wholeTime } from '../runtime/parts/store-part.ts';
import type { ByteRow } from '../runtime/stores/byte-rows.ts';
import { streamBytes } from './byte-stream.ts';
import { jsonResponse } from './json.ts';
import { type QueryParameter, type Route, type RouteRequest, staleParameter } from './route.ts';
import type { ServedEngine } from './served-engine.ts';

const scope: QueryParameter = {
  description: 'own: what this instance has. all: what the application has, wherever it is. Left out: own.',
  values: partScopes,
};
const startMs: QueryParameter = { description: 'Start of a window, ms since the epoch.', parse: wholeNumber };
const key: QueryParameter = { description: 'The bytes of a key, in base64url.', parse: base64url };

/**
 * What other instances and commands read the stores by: bytes of rows as they are kept, by store and partition. For programs of the same version, not for people:
 * those have `/stores`.
 *
 * ```
 * /internal/state                                    JSON: SharedState (shared-state.ts)
 * /internal/parts/STORE/PARTITION/row?start&key      the row of a key, in frames: one row or none
 * /internal/parts/STORE/PARTITION/rows?from&to&key   the rows that start in [from, to), of one key where one is given
 * ```
 *
 * A partition that is not here is 503 with Retry-After, an unknown store 404.
 */
export function partsRoutes(engine: ServedEngine, shared: SharedParts): readonly Route[] {
  const asked = { scope, stale: staleParameter };
  return [
    {
      path: '/internal/state',
      summary: 'What one must know to read the stores',
      query: { scope },
      handle: async ({ query }) => jsonResponse(await shared.state(query.scope === 'all' ? 'all' : 'own')),
    },
    {
      path: '/internal/parts/:store/:partition/row',
      summary: 'The row of a key as bytes',
      query: { ...asked, start: startMs, key },
      handle(request) {
        const part = partOf(engine, shared, request);
        return streamBytes(
          encodeRows(oneRow(part, Number(request.query.start ?? 0), keyOf(request) ?? new Uint8Array(0))),
          rowsType,
        );
      },
    },
    {
      path: '/internal/parts/:store/:partition/rows',
      summary: 'The rows of a partition as bytes',
      scan: 'instance',
      query: { ...asked, from: startMs, to: startMs, key },
      handle(request) {
        const part = partOf(engine, shared, request);
        const from = Number(request.query.from ?? wholeTime.fromMs);
        const to = Number(request.query.to ?? wholeTime.toMs);
        const one = keyOf(request);
        return streamBytes(
          encodeRows(one === undefined ? part.rows(from, to) : part.rowsOfKey(one, from, to)),
          rowsType,
        );
      },
    },
  ];
}

async function* oneRow(part: StorePart, startMs: number, key: Uint8Array): AsyncIterable<readonly ByteRow[]> {
  const value = await part.get(startMs, key);
  if (value !== undefined) yield [{ startMs, key, value }];
}

function partOf(engine: ServedEngine, shared: SharedParts, { params, query }: RouteRequest): StorePart {
  const store = params.store!;
  // Says which stores there are, if there is none of this name.
  if (!engine.storeNames().includes(store)) engine.store(store);
  const partition = Number(wholeNumber(params.partition!, 'a partition is'));
  const request = { stale: query.stale === 'ok' };
  const found: FoundPart =
    query.scope === 'all' ? shared.anyPart(store, partition, request) : shared.localPart(store, partition, request);
  if (found !== undefined && found !== 'migrating') return found;
  const why = found === 'migrating' ? 'is on its way between instances' : 'is not at this instance';
  throw new StreamsError(
    'STREAMS_TASK_MIGRATED',
    `partition ${partition} of store ${store} ${why}. Ask again in a second.`,
    {
      partition,
      retriable: true,
    },
  );
}

function keyOf({ query }: RouteRequest): Uint8Array | undefined {
  return query.key === undefined ? undefined : new Uint8Array(Buffer.from(query.key, 'base64url'));
}

function wholeNumber(text: string, what = 'give'): string {
  if (/^-?\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text))) return text;
  throw new StreamsError('STREAMS_USAGE', `${what} a whole number`);
}

function base64url(text: string): string {
  if (/^[\w-]*$/.test(text)) return text;
  throw new Error('give bytes in base64url, without padding');
}
