import { fromUtf8Strict, utf8 } from '../common/bytes.ts';
import { kindOf, shown } from '../common/shown.ts';
import type { Serde } from './serde.ts';
import { identifiesByValue } from './value-identity.ts';

/**
 * Anything JSON can say, as UTF-8. The type is the author's promise: it is not checked when bytes are read.
 *
 * A value that would come back as another one is refused: NaN and Infinity, undefined (as a property or an item, too), functions, symbols, bigints, what
 * is made by a class (Date, Set, Map, your own), arrays with holes or properties, hidden or symbol properties, half of a surrogate pair in a text or a name, cycles. -0 is 0.
 */
export function jsonSerde<T>(name = 'json'): Serde<T> {
  return identifiesByValue({
    name,
    serialize(value: T): Uint8Array {
      const loss = lossIn(value, 0);
      if (loss !== undefined) throw new Error(`JSON cannot give it back: ${loss.startsWith(' ') ? 'it' : ''}${loss}`);
      return utf8(JSON.stringify(value));
    },
    deserialize: (bytes) => JSON.parse(fromUtf8Strict(bytes)) as T,
  });
}

/** So deep JSON is not read by other programs either; a cycle is deeper. */
const deepest = 1000;

/** Where a value is one that JSON does not give back, and why, such as `.sums[2] is NaN`; undefined if it is none. */
function lossIn(value: unknown, depth: number): string | undefined {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? undefined : ' has half of a surrogate pair';
    case 'number':
      return Number.isFinite(value) ? undefined : ` is ${value}`;
    case 'boolean':
      return undefined;
    case 'object':
      if (value === null) return undefined;
      if (depth === deepest) return ` is a cycle, or has more than ${deepest} levels`;
      return Array.isArray(value) ? lossInArray(value, depth + 1) : lossInObject(value, depth + 1);
    default:
      return ` is ${shown(value)}`;
  }
}

function lossInArray(items: readonly unknown[], depth: number): string | undefined {
  // True for the prototype of arrays of any realm, not for that of a subclass.
  if (!Array.isArray(Object.getPrototypeOf(items))) return ` is a ${kindOf(items)}`;
  for (let i = 0; i < items.length; i++) {
    const loss = lossIn(items[i], depth);
    if (loss !== undefined) return `[${i}]${loss}`;
  }
  // The items, and `length`.
  return Reflect.ownKeys(items).length === items.length + 1 ? undefined : ' is an array with properties';
}

function lossInObject(value: object, depth: number): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return ` is made by class ${kindOf(value)}`;
  const names = Object.keys(value);
  for (const name of names) {
    if (!name.isWellFormed()) return ' has a name with half of a surrogate pair';
    const loss = lossIn((value as Record<string, unknown>)[name], depth);
    if (loss !== undefined) return `.${name}${loss}`;
  }
  return Reflect.ownKeys(value).length === names.length ? undefined : ' has hidden or symbol properties';
}
