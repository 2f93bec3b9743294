import type { Serde } from './serde.ts';

/** What comes back of a value that goes through its serde. @throws whatever the serde throws for a value that has no bytes. */
export function throughSerde<T>(serde: Serde<T>, value: T): T {
  return serde.clone === undefined ? serde.deserialize(serde.serialize(value)) : serde.clone(value);
}
