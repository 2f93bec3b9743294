/*
 * A frame, numbers little-endian:
 *
 * magic 0x184d2204 | flags int8: 4 checksum of each block, 3 content size, 2 checksum of the content, 0 dictionary | 4-6 of an int8: largest block
 *   | content size int64, if any | dictionary id int32, if any | checksum int8 | blocks | 0 int32 | checksum int32, if any
 * block: size int32, the highest bit set where it is not compressed | its bytes | checksum int32, if any
 */
const magic = 0x184d2204;
const stored = 0x80000000;
/** A byte stands for 255 at most. */
const greatestRatio = 255;

/** Bytes that a frame can hold at most, by its blocks. @throws Error for bytes that are not a sound frame. */
export function mostInLz4Frame(bytes: Buffer): number {
  if (bytes.length < 7 || bytes.readUInt32LE(0) !== magic) throw new Error('a frame does not begin as one of lz4');
  const flags = bytes[4]!;
  const largest = 1 << (8 + 2 * ((bytes[5]! >> 4) & 7));
  const behind = (flags & 16) === 0 ? 0 : 4;
  let at = 7 + ((flags & 8) === 0 ? 0 : 8) + ((flags & 1) === 0 ? 0 : 4);
  let most = 0;
  for (;;) {
    if (at + 4 > bytes.length) throw new Error('a frame is cut off');
    const head = bytes.readUInt32LE(at);
    if (head === 0) return most;
    const size = head % stored;
    most += head >= stored ? size : Math.min(largest, size * greatestRatio);
    at += 4 + size + behind;
  }
}
