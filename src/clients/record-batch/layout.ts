/**
 * Where the fields of a record batch (magic 2) lie, all big-endian:
 *
 * ```
 *  0 base offset int64 | 8 length of what follows int32 | 12 leader epoch int32 | 16 magic int8 | 17 crc uint32, of all that follows it
 * 21 attributes int16  | 23 last offset delta int32     | 27 base timestamp int64               | 35 highest timestamp int64
 * 43 producer id int64 | 51 producer epoch int16        | 53 base sequence int32                | 57 number of records int32
 * 61 records
 *
 * record: length varint | attributes int8 | timestamp delta varlong | offset delta varint | key length varint, key | value length varint, value
 *         | number of headers varint, of each: key length varint, key, value length varint, value
 * ```
 *
 * Numbers of variable length are zigzag (0, -1, 1, -2, ...), 7 bits a byte, low ones first; a length of -1 stands for no key or value.
 *
 * Message sets of magic 0 and 1 have offset, length and magic at the same places.
 */
export const batchLayout = {
  baseOffset: 0,
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  count: 57,
  records: 61,
} as const;

/** Bytes of a batch before the part that its length counts. */
export const lengthOverhead = 12;

/** Bits of the attributes of a batch. */
export const batchAttributes = { codec: 7, appendTime: 8, transactional: 16, control: 32 } as const;

/** A signed 64-bit number, exact up to 2^53. */
export function readInt64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 4294967296 + bytes.readUInt32BE(at + 4);
}

/** Writes a whole number, exact up to 2^53, as a signed 64-bit one. */
export function writeInt64(bytes: Buffer, at: number, value: number): void {
  bytes.writeInt32BE(Math.floor(value / 4294967296), at);
  bytes.writeUInt32BE(value - Math.floor(value / 4294967296) * 4294967296, at + 4);
}
