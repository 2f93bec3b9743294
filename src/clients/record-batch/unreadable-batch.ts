import { StreamsError, type StreamsErrorDetails } from '../../common/errors.ts';

/** A batch at which reading ends: it is damaged, or this process has no means to read it. */
export interface UnreadableBatch {
  readonly kind: 'damaged' | 'unsupported';
  /** The offset that the batch begins with, or the position where not even that can be trusted. */
  readonly offset: number;
  /** What is wrong with it, as it follows "the batch at offset 5". */
  readonly reason: string;
}

/** Bytes that may be sound, and cannot be read here. Its message follows "the batch at offset 5". */
export class UnsupportedData extends Error {
  override readonly name = 'UnsupportedData';
}

/** What would take more memory than one batch may. */
export function tooLarge(limit: number): UnsupportedData {
  return new UnsupportedData(
    `holds more than ${limit / 2 ** 20} MiB when it is uncompressed. Let its producer write smaller batches (batch.size)`,
  );
}

/** The error that reaches the user. A batch is not passed over: its records would be missing in every result. */
export function unreadableError(
  topic: string,
  partition: number,
  { kind, offset, reason }: UnreadableBatch,
): StreamsError {
  const details: StreamsErrorDetails = { topic, partition, offset };
  const what = `topic ${topic}, partition ${partition}: the batch at offset ${offset} ${reason}`;
  if (kind === 'unsupported')
    return new StreamsError('STREAMS_BATCH_UNSUPPORTED', `${what}. Nothing of it is processed.`, details);
  const remedy =
    'Restore the partition from another replica; kafka-dump-log.sh shows what the log holds. To go on without these records, set the position behind the batch.';
  return new StreamsError('STREAMS_BATCH_CORRUPT', `${what}. Nothing of it is processed. ${remedy}`, details);
}
