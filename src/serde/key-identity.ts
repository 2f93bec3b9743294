import type { Serde } from './serde.ts';

/**
 * What tells keys apart in a Map: a primitive is itself, anything else its serialized bytes (as a latin1 string).
 */
export function keyIdentity<K>(serde: Serde<K>, key: K): unknown {
  if (typeof key !== 'object' || key === null) return key;
  return Buffer.from(serde.serialize(key)).toString('latin1');
}
