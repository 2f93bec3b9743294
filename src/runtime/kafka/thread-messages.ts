import { messageOf, StreamsError, type StreamsErrorCode, type StreamsErrorDetails } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import type { EngineStats } from '../engine-stats.ts';
import type { RestoreProgress } from './changelog-follower.ts';
import type { KafkaStreamsOptions, RestoreListener } from './kafka-options.ts';
import type { KafkaStats } from './kafka-stats.ts';
import type { ThreadNames } from './thread-owner.ts';

/** Options that are no plain data: a thread has them of the module, or tells the client. */
type OwnOption =
  | 'broker'
  | 'logger'
  | 'restoreListener'
  | 'uncaughtHandler'
  | 'deserializationHandler'
  | 'processingHandler'
  | 'productionHandler'
  | 'openDatabase';

/** What a further stream thread begins with. */
export interface ThreadData {
  /** Address of the module that makes the topology. */
  readonly module: string;
  /** What its functions are given. */
  readonly settings: unknown;
  readonly names: ThreadNames;
  readonly options: Omit<KafkaStreamsOptions, OwnOption>;
  /** Where the module gives no broker. */
  readonly bootstrapServers: readonly string[] | undefined;
  readonly paused: boolean;
}

/** What is read of a partition: the row of a key, or a range. */
export interface PartRead {
  readonly store: string;
  readonly partition: number;
  readonly stale: boolean;
  readonly key?: Uint8Array | undefined;
  /** Given: one row. */
  readonly startMs?: number;
  readonly fromMs?: number;
  readonly toMs?: number;
}

/** What a client tells its further threads. */
export type ToThread =
  | { readonly kind: 'close'; readonly timeoutMs: number; readonly leaveGroup: boolean | undefined }
  | { readonly kind: 'pause'; readonly paused: boolean }
  | { readonly kind: 'cache'; readonly bytes: number }
  | { readonly kind: 'read'; readonly id: number; readonly read: PartRead }
  /** More of what is read, or no more. */
  | { readonly kind: 'next'; readonly id: number }
  | { readonly kind: 'stop'; readonly id: number };

/** What they tell it. */
export type FromThread =
  /** How it is: its figures, whether all that it is given is at work, the tasks that are, and those of which there is a copy. */
  | {
      readonly kind: 'state';
      readonly engine: EngineStats;
      readonly kafka: KafkaStats;
      readonly ready: boolean;
      readonly running: readonly string[];
      readonly copies: readonly string[];
    }
  /** It ends by itself. Final: not to be replaced. */
  | { readonly kind: 'failed'; readonly error: SentError; readonly final: boolean }
  | {
      readonly kind: 'log';
      readonly level: keyof Logger;
      readonly fields: object;
      readonly error?: SentError;
      readonly message: string;
    }
  | {
      readonly kind: 'restore';
      readonly what: keyof RestoreListener;
      readonly progress: RestoreProgress;
      readonly records: number;
    }
  /** The next bytes of what is read: none at the end. */
  | { readonly kind: 'rows'; readonly id: number; readonly bytes?: Uint8Array; readonly error?: SentError }
  /** It has given everything back. */
  | { readonly kind: 'ended' };

/** An end of the line between a client and a thread. */
export interface ThreadPort<Sent, Received> {
  postMessage(message: Sent, transfer?: readonly ArrayBuffer[]): void;
  on(event: 'message', listener: (message: Received) => void): unknown;
}

/** A further thread as a client has it. A `Worker` is one. */
export interface ThreadLink extends ThreadPort<ToThread, FromThread> {
  on(event: 'message', listener: (message: FromThread) => void): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  on(event: 'exit', listener: (code: number) => void): unknown;
  terminate(): Promise<unknown>;
}

/** Starts a further thread. */
export type OpenThread = (data: ThreadData) => ThreadLink;

/** An error as plain data. */
export interface SentError {
  readonly code: StreamsErrorCode | undefined;
  readonly message: string;
  readonly stack: string | undefined;
  readonly details: StreamsErrorDetails;
}

/** An error to be sent to another thread: its class and its cause stay here. */
export function sentError(error: unknown): SentError {
  const stack = error instanceof Error ? error.stack : undefined;
  if (!StreamsError.is(error)) return { code: undefined, message: messageOf(error), stack, details: {} };
  const { cause: _, ...details } = error.details;
  return { code: error.code, message: error.message, stack, details };
}

/** The error that {@link sentError} was made of. */
export function receivedError({ code, message, stack, details }: SentError): Error {
  const error = code === undefined ? new Error(message) : new StreamsError(code, message, details);
  if (stack !== undefined) error.stack = stack;
  return error;
}
