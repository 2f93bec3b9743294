import type { Serde } from './serde.ts';
import { isIdentifiedByValue } from './value-identity.ts';

/** What tells keys apart in a Map: their serialized bytes (as a latin1 string), or the key itself where that comes to the same. */
export function keyIdentity<K>(serde: Serde<K>, key: K): unknown {
  if (typeof key !== 'object' && isIdentifiedByValue(serde)) return key;
  return Buffer.from(serde.serialize(key)).toString('latin1');
}
