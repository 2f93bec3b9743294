import { StreamsError } from '../common/errors.ts';
import { decodeRows, rowsType } from '../runtime/parts/row-frames.ts';
import { type PartScope, type SharedState, sharedFormat } from '../runtime/parts/shared-state.ts';
import type { StorePart } from '../runtime/parts/store-part.ts';
import type { ByteRow } from '../runtime/stores/byte-rows.ts';
import { askRemote, brokenOff, type RemoteOptions } from './remote-answer.ts';

/** How parts of another instance are read. */
export interface RemotePartOptions extends RemoteOptions {
  /** `own`: the instance has the partition itself. `all`: it gets it from wherever it is. @defaultValue 'own' */
  readonly scope?: PartScope;
  /** True: a copy that may lag behind will do. @defaultValue false */
  readonly stale?: boolean;
}

/**
 * A partition at another instance, asked over HTTP (parts-routes.ts).
 *
 * @param url - Of the instance, such as `http://10.0.0.7:8080`.
 * @throws StreamsError from its methods, as askRemote (remote-answer.ts) says; `STREAMS_TIMEOUT` too from a range whose answer breaks off.
 */
export function remotePart(url: string, store: string, partition: number, options: RemotePartOptions = {}): StorePart {
  const base = `${baseOf(url)}/internal/parts/${encodeURIComponent(store)}/${partition}`;
  const address = (what: 'row' | 'rows', query: Readonly<Record<string, number | string | undefined>>): URL => {
    const found = new URL(`${base}/${what}`);
    const whole = { ...query, scope: options.scope, stale: options.stale === true ? 'ok' : undefined };
    for (const [name, value] of Object.entries(whole))
      if (value !== undefined) found.searchParams.set(name, String(value));
    return found;
  };
  const textOf = (key: Uint8Array): string => Buffer.from(key).toString('base64url');
  const range = (fromMs: number, toMs: number, key?: string): AsyncGenerator<readonly ByteRow[]> =>
    fromMs < toMs ? rowsAt(address('rows', { from: bound(fromMs), to: bound(toMs), key }), options) : noRows();
  return {
    partition,
    async get(startMs, key) {
      let value: Uint8Array | undefined;
      for await (const rows of rowsAt(address('row', { start: startMs, key: textOf(key) }), options))
        value = rows[0]?.value;
      return value?.slice();
    },
    rows: (fromMs, toMs) => range(fromMs, toMs),
    rowsOfKey: (key, fromMs, toMs) => range(fromMs, toMs, textOf(key)),
  };
}

/** What an instance says of its application. @throws StreamsError as askRemote (remote-answer.ts) says. */
export async function remoteState(
  url: string,
  options: RemoteOptions & { readonly scope?: PartScope } = {},
): Promise<SharedState> {
  const address = new URL(`${baseOf(url)}/internal/state`);
  if (options.scope !== undefined) address.searchParams.set('scope', options.scope);
  const { body } = await askRemote(address, 'application/json', options);
  const state = (await body.json()) as SharedState;
  if (state.format === sharedFormat) return state;
  throw new StreamsError(
    'STREAMS_STATE_INCOMPATIBLE',
    `${address.origin} speaks of its state in format ${JSON.stringify(state.format)}, this version reads ${sharedFormat}. Take the version that runs there.`,
  );
}

async function* noRows(): AsyncGenerator<never> {}

async function* rowsAt(address: URL, options: RemoteOptions): AsyncGenerator<readonly ByteRow[]> {
  const { body } = await askRemote(address, rowsType, options);
  try {
    yield* decodeRows(body.pieces());
  } catch (error) {
    throw brokenOff(address, error);
  }
}

/** Starts are integers, so a bound between two of them is the upper one; without one where it is infinite. */
function bound(ms: number): number | undefined {
  return Number.isFinite(ms) ? Math.ceil(ms) : undefined;
}

function baseOf(url: string): string {
  return url.endsWith('/') ? url.slice(0, -1) : url;
}
