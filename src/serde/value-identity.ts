import type { Serde } from './serde.ts';

/** Serdes of which it is known that two primitives have the same bytes only if they are the same. By identity: what is spread into another serde is not known. */
const known = new WeakSet<object>();

/** Says that a serde's primitives are told apart as well by their values as by their bytes. */
export function identifiesByValue<T>(serde: Serde<T>): Serde<T> {
  known.add(serde);
  return serde;
}

/** Whether a serde's primitives are told apart as well by their values as by their bytes. */
export function isIdentifiedByValue(serde: object): boolean {
  return known.has(serde);
}
