import type { AbortedTransaction } from '../record-batch/aborted-producers.ts';
import { readInt64 } from '../record-batch/layout.ts';
import type { Api } from './api.ts';
import { changedApi, kafkajsApi } from './api.ts';
import type { OfTopic } from './requests.ts';

/** What is fetched. */
export interface FetchArgs {
  /** 0: read_uncommitted, 1: read_committed. */
  readonly isolationLevel: 0 | 1;
  readonly maxWaitTime: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly topics: readonly OfTopic<{ partition: number; fetchOffset: string; maxBytes: number }>[];
}

/** What was fetched of a partition. */
export interface FetchedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly aborted: readonly AbortedTransaction[];
  /** The batches are `bytes[start .. end)` of the answer. */
  readonly start: number;
  readonly end: number;
}

/** An answer to a fetch. */
export interface FetchAnswer {
  readonly clientSideThrottleTime: number;
  readonly errorCode: number;
  readonly partitions: readonly FetchedPartition[];
  readonly bytes: Buffer;
}

const written = kafkajsApi<FetchArgs, unknown>('Fetch', 10);

/**
 * Fetch 10 without a session. The answer's batches are left as they are.
 *
 * From version 11 on followers answer too, with what they have: a reader would stay at a broker from which the leadership has moved away, however far that falls behind.
 */
export const fetch: Api<FetchArgs, FetchAnswer> = changedApi(written, (args, versions) => {
  const { request } = written.exchange(args, versions);
  return {
    request,
    response: { decode: async (payload) => decodeAnswer(payload), parse: async (answer) => answer as FetchAnswer },
  };
});

/**
 * ```
 * throttle int32 | error int16 | session int32 | topics: name string | partitions: index int32 | error int16 | high watermark int64 | last stable offset int64
 *   | log start int64 | aborted: producer id int64, first offset int64 | records bytes
 * ```
 */
function decodeAnswer(bytes: Buffer): FetchAnswer {
  const partitions: FetchedPartition[] = [];
  const clientSideThrottleTime = bytes.readInt32BE(0);
  const errorCode = bytes.readInt16BE(4);
  let at = 14;
  for (let topics = bytes.readInt32BE(10); topics > 0; topics--) {
    const nameLength = bytes.readInt16BE(at);
    const topic = bytes.toString('utf8', at + 2, at + 2 + nameLength);
    at += 2 + nameLength;
    let left = bytes.readInt32BE(at);
    at += 4;
    for (; left > 0; left--) {
      const head = at;
      const aborted: AbortedTransaction[] = [];
      at += 34;
      for (let transactions = bytes.readInt32BE(head + 30); transactions > 0; transactions--) {
        aborted.push({ producerId: bytes.readBigInt64BE(at), firstOffset: readInt64(bytes, at + 8) });
        at += 16;
      }
      const start = at + 4;
      const end = start + Math.max(0, bytes.readInt32BE(at));
      partitions.push({
        topic,
        partition: bytes.readInt32BE(head),
        errorCode: bytes.readInt16BE(head + 4),
        highWatermark: readInt64(bytes, head + 6),
        lastStableOffset: readInt64(bytes, head + 14),
        aborted,
        start,
        end,
      });
      at = end;
    }
  }
  return { clientSideThrottleTime, errorCode, partitions, bytes };
}
