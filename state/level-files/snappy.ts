import { NumberReader } from './read-numbers.ts';

/** Decompresses a block of Snappy's raw format. @throws RangeError if it is none */
export function decompressSnappy(bytes: Uint8Array): Uint8Array {
  const reader = new NumberReader(bytes);
  const length = reader.next();
  // A copy of 64 bytes takes 3.
  if (length > 32 * bytes.length) throw new RangeError('a block claims more than it can hold');
  const target = new Uint8Array(length);
  let to = 0;
  while (!reader.done) {
    const tag = reader.bytes(1)[0]!;
    const kind = tag & 3;
    if (kind === 0) {
      const short = tag >>> 2;
      const literal = reader.bytes((short < 60 ? short : little(reader.bytes(short - 59))) + 1);
      if (to + literal.length > length) throw new RangeError('a block is longer than it says');
      target.set(literal, to);
      to += literal.length;
      continue;
    }
    const count = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
    const back = kind === 1 ? ((tag >>> 5) << 8) | reader.bytes(1)[0]! : little(reader.bytes(kind === 2 ? 2 : 4));
    if (back === 0 || back > to || to + count > length) throw new RangeError('a block copies what it does not have');
    // Byte by byte: a copy may overlap what it makes.
    for (let i = 0; i < count; i++) target[to + i] = target[to + i - back]!;
    to += count;
  }
  if (to !== length) throw new RangeError('a block is shorter than it says');
  return target;
}

function little(bytes: Uint8Array): number {
  let value = 0;
  for (let i = bytes.length - 1; i >= 0; i--) value = value * 256 + bytes[i]!;
  return value;
}
