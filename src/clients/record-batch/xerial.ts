import { tooLarge } from './unreadable-batch.ts';

/**
 * Snappy as Java's clients write it: blocks of up to 32 KiB behind a header.
 *
 * ```
 * 0x82 'SNAPPY' 0x00 | version int32 | compatible version int32 | block length int32, block | block length int32, block | ...
 * ```
 */
const head = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
const blockBytes = 32 * 1024;

/** Compresses in blocks behind the header. */
export function xerial(bytes: Buffer, compress: (block: Buffer) => Buffer): Buffer {
  const parts: Buffer[] = [head];
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const block = compress(bytes.subarray(at, at + blockBytes));
    const length = Buffer.allocUnsafe(4);
    length.writeInt32BE(block.length);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}

/**
 * Uncompresses; bytes without the header are one block, as other clients write it.
 *
 * @param limit - What would be more than this is refused, before memory is taken for it.
 * @throws UnsupportedData for what is larger, Error for blocks that do not fit the bytes.
 */
export function uncompressXerial(bytes: Buffer, limit: number, uncompress: (block: Buffer) => Buffer): Buffer {
  const plain = bytes.length < head.length || !bytes.subarray(0, 8).equals(head.subarray(0, 8));
  const blocks = plain ? [bytes] : [...blocksOf(bytes)];
  let total = 0;
  for (const block of blocks) total += saidLength(block);
  if (total > limit) throw tooLarge(limit);
  return plain ? uncompress(bytes) : Buffer.concat(blocks.map(uncompress));
}

function* blocksOf(bytes: Buffer): Iterable<Buffer> {
  for (let at = head.length; at < bytes.length; ) {
    const end = at + 4 > bytes.length ? Number.NaN : at + 4 + bytes.readUInt32BE(at);
    if (!(end <= bytes.length)) throw new Error('a block does not fit');
    yield bytes.subarray(at + 4, end);
    at = end;
  }
}

/** A block of snappy begins with its length uncompressed, seven bits a byte, low ones first. */
function saidLength(block: Buffer): number {
  let length = 0;
  for (let i = 0; i < 5; i++) {
    const byte = block[i];
    if (byte === undefined) break;
    length += (byte & 127) * 2 ** (7 * i);
    if (byte < 128) return length;
  }
  throw new Error('a block has no length');
}
