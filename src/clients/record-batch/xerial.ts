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

/** Uncompresses; bytes without the header are one block, as other clients write it. */
export function uncompressXerial(bytes: Buffer, uncompress: (block: Buffer) => Buffer): Buffer {
  if (bytes.length < head.length || !bytes.subarray(0, 8).equals(head.subarray(0, 8))) return uncompress(bytes);
  const parts: Buffer[] = [];
  for (let at = head.length; at < bytes.length; ) {
    const length = bytes.readInt32BE(at);
    parts.push(uncompress(bytes.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return Buffer.concat(parts);
}
