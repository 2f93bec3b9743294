import { crc32c } from '../../common/crc.ts';
import type { CompressionCodec } from './compression.ts';
import { compress } from './compression.ts';
import { batchAttributes, batchLayout, lengthOverhead } from './layout.ts';

/** Who writes a batch, and which one of his it is. */
export interface BatchStamp {
  /** As the broker gave it. */
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** Number of the batch's first record among those that the producer has written to the partition. */
  readonly baseSequence: number;
  readonly transactional: boolean;
}

/** Fills in the producer's fields and the checksum of a sealed batch. */
export function stampBatch(batch: Buffer, stamp: BatchStamp): void {
  const codec = batch.readInt16BE(batchLayout.attributes) & batchAttributes.codec;
  batch.writeInt16BE(codec | (stamp.transactional ? batchAttributes.transactional : 0), batchLayout.attributes);
  batch.writeBigInt64BE(stamp.producerId, batchLayout.producerId);
  batch.writeInt16BE(stamp.producerEpoch, batchLayout.producerEpoch);
  batch.writeInt32BE(stamp.baseSequence, batchLayout.baseSequence);
  batch.writeUInt32BE(crc32c(batch, batchLayout.attributes), batchLayout.crc);
}

/** The sealed batch with its records compressed. Without a codec: the batch itself. */
export function compressBatch(batch: Buffer, codec: CompressionCodec): Buffer {
  if (codec === 'none') return batch;
  const { id, bytes } = compress(codec, batch.subarray(batchLayout.records));
  const compressed = Buffer.concat([batch.subarray(0, batchLayout.records), bytes]);
  compressed.writeInt32BE(compressed.length - lengthOverhead, batchLayout.length);
  compressed.writeInt16BE(id, batchLayout.attributes);
  return compressed;
}
