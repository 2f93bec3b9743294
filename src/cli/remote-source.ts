import { StreamsError } from '../common/errors.ts';
import { remotePart, remoteState } from '../http/remote-part.ts';
import { layoutOf, type SharedState } from '../runtime/parts/shared-state.ts';
import type { Application, ApplicationSpec } from './application.ts';
import { topicsOf } from './application.ts';
import { settingsOf } from './replay-settings.ts';
import { partsSource, type StoreSource, storesOf } from './store-source.ts';

/** A partition may take this long to come to its next owner, ms. */
const retryForMs = 60_000;

/**
 * The results of an application that runs: all of it, through one of its instances.
 *
 * @param url - Of the instance, such as `http://127.0.0.1:8080`.
 * @throws {@link StreamsError} `STREAMS_TIMEOUT` - nobody answers there, `STREAMS_STATE_INCOMPATIBLE` - what answers is no instance of this application in this version.
 */
export async function openUrl(
  spec: ApplicationSpec,
  app: Application,
  url: string,
  token?: string,
): Promise<StoreSource> {
  const options = { retryForMs, scope: 'all', token } as const;
  const state = await remoteState(url, options);
  const settings = settingsOf(spec, {}, state.settings, url);
  const topology = app.topology(settings, topicsOf(spec, settings.topics));
  const shared = new Map(state.stores.map((store) => [store.name, store]));
  for (const store of storesOf(topology)) checkLayout(url, shared.get(store.name), store.name, layoutOf(store));
  return partsSource({
    place: url,
    settings,
    topology,
    operatorTimeMs: state.operatorTimeMs,
    final: state.final,
    partsOf: ({ name }) => shared.get(name)!.partitions.map((partition) => remotePart(url, name, partition, options)),
  });
}

function checkLayout(
  url: string,
  found: SharedState['stores'][number] | undefined,
  name: string,
  layout: string,
): void {
  if (found?.layout === layout) return;
  const there = found === undefined ? 'it has none' : `there it is ${found.layout}`;
  throw new StreamsError(
    'STREAMS_STATE_INCOMPATIBLE',
    `the application at ${url} is another one: store ${name} is ${layout} here, ${there}. Use the version that runs there.`,
  );
}
