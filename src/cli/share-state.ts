import type { EmbeddedStreams } from '../runtime/embedded-streams.ts';
import { type FoundPart, layoutOf, type SharedParts, sharedFormat } from '../runtime/parts/shared-state.ts';
import { storesOf } from './store-source.ts';

/** What commands may read of a state that is open in this process: all of it. */
export function shareState(streams: EmbeddedStreams): SharedParts {
  const partOf = (store: string, partition: number): FoundPart =>
    streams.parts(store).find((part) => part.partition === partition);
  return {
    state: () => ({
      format: sharedFormat,
      applicationId: streams.stats().applicationId,
      settings: streams.settings,
      stores: storesOf(streams.topology).map((store) => ({
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
