import type { RangeReader } from './input-buffer.ts';

const slots = 2048;
const longestKey = 32;
/** Lookups after which it is judged whether keys come again. */
const judgedAfter = 8192;
/** Lookups that are let pass where they do not. */
const pausedFor = 131_072;

/**
 * A reader of text keys that remembers those read last, by their bytes. The keys of a stream come again and again; one that is remembered costs neither a decoding nor
 * garbage, and its hash is known wherever it is looked up. Where fewer than half come again (millions of keys, evenly spread) nothing is remembered for a while.
 *
 * Only for a serde that makes of equal bytes equal texts, which is what a serde is.
 */
export function rememberingKeys(read: RangeReader): RangeReader {
  const bytesOf = new Uint8Array(slots * longestKey);
  const lengths = new Uint8Array(slots);
  const keys: unknown[] = new Array(slots).fill(undefined);
  let lookups = 0;
  let found = 0;
  return (bytes, start, end) => {
    const length = end - start;
    if (length > longestKey || length === 0) return read(bytes, start, end);
    if (lookups < 0) {
      lookups++;
      return read(bytes, start, end);
    }
    if (++lookups === judgedAfter) {
      lookups = found < judgedAfter / 2 ? -pausedFor : 0;
      found = 0;
    }
    let hash = length;
    for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + bytes[i]!) | 0;
    const slot = (hash ^ (hash >>> 11)) & (slots - 1);
    const at = slot * longestKey;
    if (lengths[slot] === length) {
      let i = 0;
      while (i < length && bytesOf[at + i] === bytes[start + i]) i++;
      if (i === length) {
        found++;
        return keys[slot];
      }
    }
    const key = read(bytes, start, end);
    if (typeof key !== 'string') return key;
    lengths[slot] = length;
    for (let i = 0; i < length; i++) bytesOf[at + i] = bytes[start + i]!;
    keys[slot] = key;
    return key;
  };
}
