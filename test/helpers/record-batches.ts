/*
 * Batches built field by field, slowly and plainly, from the description of the format: what the fast code is compared with.
 */

/** A record of a batch that is built by hand. */
export interface HandRecord {
  readonly offsetDelta?: number;
  readonly timestampDelta?: number;
  readonly key?: string | undefined;
  readonly value?: string | undefined;
  readonly headers?: readonly (readonly [key: string, value: string | null])[];
}

/** A batch that is built by hand. */
export interface HandBatch {
  readonly baseOffset?: number;
  readonly baseTimestamp?: number;
  readonly maxTimestamp?: number;
  readonly attributes?: number;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  /** @defaultValue that of the last record */
  readonly lastOffsetDelta?: number;
  readonly records: readonly HandRecord[];
}

const int8 = (n: number): Buffer => Buffer.from([n & 255]);
const int16 = (n: number): Buffer => Buffer.from([(n >> 8) & 255, n & 255]);
const int32 = (n: number): Buffer => Buffer.from([n >> 24, n >> 16, n >> 8, n].map((byte) => byte & 255));
const int64 = (n: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(n));
  return bytes;
};

/** A number of variable length, by the definition: zigzag, seven bits a byte. */
export function varint(n: number): Buffer {
  let rest = BigInt(n) >= 0n ? BigInt(n) * 2n : BigInt(n) * -2n - 1n;
  const bytes: number[] = [];
  do {
    const low = Number(rest % 128n);
    rest /= 128n;
    bytes.push(rest > 0n ? low + 128 : low);
  } while (rest > 0n);
  return Buffer.from(bytes);
}

const text = (value: string | null | undefined): Buffer =>
  value === undefined || value === null
    ? varint(-1)
    : Buffer.concat([varint(Buffer.byteLength(value)), Buffer.from(value)]);

function record(of: HandRecord, index: number): Buffer {
  const headers = of.headers ?? [];
  const body = Buffer.concat([
    int8(0),
    varint(of.timestampDelta ?? 0),
    varint(of.offsetDelta ?? index),
    text(of.key),
    text(of.value),
    varint(headers.length),
    ...headers.flatMap(([key, value]) => [text(key), text(value)]),
  ]);
  return Buffer.concat([varint(body.length), body]);
}

/** CRC-32C, bit by bit. */
export function slowCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

/** The bytes of a batch. @param pack - what becomes of its records. */
export function batch(of: HandBatch, pack: (records: Buffer) => Buffer = (records) => records): Buffer {
  const { records } = of;
  const baseTimestamp = of.baseTimestamp ?? 1000;
  const last = records.length === 0 ? -1 : (records.at(-1)!.offsetDelta ?? records.length - 1);
  const times = records.map(({ timestampDelta = 0 }) => baseTimestamp + timestampDelta);
  const crced = Buffer.concat([
    int16(of.attributes ?? 0),
    int32(of.lastOffsetDelta ?? last),
    int64(baseTimestamp),
    int64(of.maxTimestamp ?? Math.max(baseTimestamp, ...times)),
    int64(of.producerId ?? -1),
    int16(of.producerEpoch ?? -1),
    int32(of.baseSequence ?? -1),
    int32(records.length),
    pack(Buffer.concat(records.map(record))),
  ]);
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(slowCrc32c(crced));
  const rest = Buffer.concat([int32(-1), int8(2), crc, crced]);
  return Buffer.concat([int64(of.baseOffset ?? 0), int32(rest.length), rest]);
}

const transactional = 16;
const control = 32;

/** A batch of a transaction with a record for each value. */
export function transactionBatch(baseOffset: number, producerId: number, values: readonly string[]): Buffer {
  return batch({ baseOffset, producerId, attributes: transactional, records: values.map((value) => ({ value })) });
}

/** The marker that ends a transaction. */
export function marker(baseOffset: number, producerId: number, type: 'commit' | 'abort'): Buffer {
  // key: version int16, type int16; value: version int16, coordinator epoch int32
  const key = String.fromCharCode(0, 0, 0, type === 'commit' ? 1 : 0);
  const value = String.fromCharCode(0, 0, 0, 0, 0, 0);
  return batch({ baseOffset, producerId, attributes: transactional | control, records: [{ key, value }] });
}
