import { equalBytes, fromUtf8Strict, utf8 } from '../../../src/common/bytes.ts';
import type { Serde } from '../../../src/serde/serde.ts';

/** Where an equipment is installed: the four levels by which events are counted. All ids are text. Immutable. Or the name of a place, whose ids are empty then. */
export interface Place {
  /** `Code INSEE`, such as '01026'. */
  readonly commune: string;
  readonly departement: string;
  /** The substation (`id_pdk`). */
  readonly pdk: string;
  readonly region: string;
  /** Only in a record that names a place: see `NamesOfPlaces`. */
  readonly name?: string;
}

const slots = 4096;
const longestField = 0xffff;

/**
 * Places as bytes: commune, departement, pdk and region, then the name if there is one, each as its length in bytes (uint16, big-endian) and its UTF-8.
 *
 * `{ commune: '01026', departement: '01', pdk: '7', region: '4' }` is `0005 3031303236 0002 3031 0001 37 0001 34`.
 *
 * A grid has few places and many equipments, so places and their bytes are remembered: equal bytes mostly give the same object.
 */
class PlaceSerde implements Serde<Place> {
  readonly name = 'place';
  readonly #bytes: (Uint8Array | undefined)[] = new Array(slots).fill(undefined);
  readonly #places: (Place | undefined)[] = new Array(slots).fill(undefined);
  readonly #writtenBytes: WeakMap<Place, Uint8Array> = new WeakMap();

  serialize(place: Place): Uint8Array {
    return this.#written(place).slice();
  }

  write(place: Place, target: Uint8Array, at: number): number {
    const bytes = this.#written(place);
    if (at + bytes.length > target.length) return -1;
    target.set(bytes, at);
    return at + bytes.length;
  }

  deserialize(bytes: Uint8Array): Place {
    const slot = hash(bytes) & (slots - 1);
    const known = this.#bytes[slot];
    if (known !== undefined && equalBytes(known, bytes)) return this.#places[slot]!;
    const place = readPlace(bytes);
    // Not slice(): that of a Buffer copies nothing, and would keep all that was fetched with it.
    this.#bytes[slot] = new Uint8Array(bytes);
    this.#places[slot] = place;
    return place;
  }

  clone(place: Place): Place {
    return place;
  }

  #written(place: Place): Uint8Array {
    let bytes = this.#writtenBytes.get(place);
    if (bytes === undefined) {
      bytes = writePlace(place);
      this.#writtenBytes.set(place, bytes);
    }
    return bytes;
  }
}

function writePlace(place: Place): Uint8Array {
  const { commune, departement, pdk, region, name } = place;
  const fields = [commune, departement, pdk, region, ...(name === undefined ? [] : [name])].map((field) => utf8(field));
  const bytes = new Uint8Array(fields.reduce((length, field) => length + 2 + field.length, 0));
  let at = 0;
  for (const field of fields) {
    if (field.length > longestField) {
      throw new RangeError(`an id or a name of a place has ${field.length} bytes, more than ${longestField}`);
    }
    bytes[at] = field.length >> 8;
    bytes[at + 1] = field.length;
    bytes.set(field, at + 2);
    at += 2 + field.length;
  }
  return bytes;
}

function readPlace(bytes: Uint8Array): Place {
  let at = 0;
  const field = (): string => {
    const start = at + 2;
    at = start + ((bytes[start - 2]! << 8) | bytes[start - 1]!);
    if (start > bytes.length || at > bytes.length) throw new Error(`${bytes.length} bytes are too few for a place`);
    return fromUtf8Strict(bytes.subarray(start, at));
  };
  const ids = { commune: field(), departement: field(), pdk: field(), region: field() };
  const place = at === bytes.length ? ids : { ...ids, name: field() };
  if (at !== bytes.length) throw new Error(`${bytes.length} bytes are too many for a place`);
  return place;
}

/** FNV-1a. */
function hash(bytes: Uint8Array): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) h = Math.imul(h ^ bytes[i]!, 0x01000193);
  return h ^ (h >>> 15);
}

/** The serde of {@link Place}. Its layout is drawn at the class behind it. */
export const placeSerde: Serde<Place> = new PlaceSerde();
