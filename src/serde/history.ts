import { decodeHistory, encodeHistory } from '../../state/versioned-store.ts';
import type { Version } from '../processor/rows.ts';
import type { Serde } from './serde.ts';

/**
 * The whole history of a key as the value of one message, as `encodeHistory` (state/versioned-store.ts) lays it out: what the topic of a global history table carries.
 *
 * An empty history is a value of 4 bytes, no tombstone: unlike one it is never removed by compaction.
 */
export function historySerde<V>(inner: Serde<V>): Serde<readonly Version<V>[]> {
  return {
    name: `history(${inner.name})`,
    serialize: (versions) =>
      encodeHistory(
        versions.map(({ validFromMs, value }) => ({
          validFromMs,
          value: value === undefined ? null : inner.serialize(value),
        })),
      ),
    deserialize: (bytes) =>
      decodeHistory(bytes).map(({ validFromMs, value }) => ({
        validFromMs,
        value: value === null ? undefined : inner.deserialize(value),
      })),
  };
}
