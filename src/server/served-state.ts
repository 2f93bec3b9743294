import type { EmbeddedStreams } from '../runtime/embedded-streams.ts';
import { type FoundPart, layoutOf, type SharedParts, sharedFormat } from '../runtime/parts/shared-state.ts';
import type { ServedClient } from './serve-client.ts';

/** A state that is open in this process, as its HTTP server sees it. */
export function servedState(streams: EmbeddedStreams): ServedClient {
  return {
    topology: streams.topology,
    stateDir: () => streams.stateDir,
    stats: () => streams.stats(),
    letters: () => streams.letters(),
    storeNames: () => streams.storeNames(),
    store: (name) => streams.store(name),
    shared: shareState(streams),
  };
}

/** What commands may read of the state: all of it. */
function shareState(streams: EmbeddedStreams): SharedParts {
  const { stores, globalTables } = streams.topology;
  const partOf = (store: string, partition: number): FoundPart =>
    streams.parts(store).find((part) => part.partition === partition);
  return {
    state: () => ({
      format: sharedFormat,
      applicationId: streams.stats().applicationId,
      settings: streams.settings,
      stores: [...stores, ...globalTables.map(({ store }) => store)].map((store) => ({
        name: store.name,
        layout: layoutOf(store),
        partitions: streams.parts(store.name).map((part) => part.partition),
      })),
      operatorTimeMs: streams.operatorTimeMs(),
      final: streams.final,
    }),
    localPart: partOf,
    anyPart: partOf,
  };
}
