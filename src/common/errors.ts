/** Exit code of a process that ends with an error of this kind: 1 failure while running, 2 usage or configuration, 3 state or input refused. */
export type ExitCode = 1 | 2 | 3;

/** A stable error code. */
export type StreamsErrorCode =
  | 'STREAMS_USAGE'
  | 'STREAMS_CONFIG'
  | 'STREAMS_TOPOLOGY'
  | 'STREAMS_SERIALIZATION'
  | 'STREAMS_DESERIALIZATION'
  | 'STREAMS_PROCESSING'
  | 'STREAMS_PRODUCTION'
  | 'STREAMS_STATE_STORE_NOT_OPEN'
  | 'STREAMS_STATE_STORE_LOCKED'
  | 'STREAMS_STATE_STORE_CORRUPT'
  | 'STREAMS_STATE_STORE_UNKNOWN'
  | 'STREAMS_STATE_STORE_WRITE'
  | 'STREAMS_STATE_MISSING'
  | 'STREAMS_STATE_INCOMPATIBLE'
  | 'STREAMS_STATE_NEWER'
  | 'STREAMS_STATE_FINAL'
  | 'STREAMS_TASK_MIGRATED'
  | 'STREAMS_BROKER'
  | 'STREAMS_FENCED_INSTANCE_ID'
  | 'STREAMS_BATCH_CORRUPT'
  | 'STREAMS_BATCH_UNSUPPORTED'
  | 'STREAMS_INTERNAL_TOPIC'
  | 'STREAMS_MISSING_SOURCE_TOPIC'
  | 'STREAMS_PARTITION_MISMATCH'
  | 'STREAMS_DATABASE'
  | 'STREAMS_FILE'
  | 'STREAMS_FILE_REWRITTEN'
  | 'STREAMS_INPUT_REFUSED'
  | 'STREAMS_BAD_ROW'
  | 'STREAMS_SINK'
  | 'STREAMS_PORT'
  | 'STREAMS_TIMEOUT'
  | 'STREAMS_CLOSED';

/** Every code a {@link StreamsError} can carry, with the exit code it means. Codes are stable across minor versions; docs/errors.md gives cause and remedy. */
export const streamsErrors: Readonly<Record<StreamsErrorCode, ExitCode>> = {
  STREAMS_USAGE: 2,
  STREAMS_CONFIG: 2,
  STREAMS_TOPOLOGY: 2,
  STREAMS_SERIALIZATION: 1,
  STREAMS_DESERIALIZATION: 1,
  STREAMS_PROCESSING: 1,
  STREAMS_PRODUCTION: 1,
  STREAMS_STATE_STORE_NOT_OPEN: 1,
  STREAMS_STATE_STORE_LOCKED: 3,
  STREAMS_STATE_STORE_CORRUPT: 1,
  STREAMS_STATE_STORE_UNKNOWN: 2,
  STREAMS_STATE_STORE_WRITE: 1,
  STREAMS_STATE_MISSING: 3,
  STREAMS_STATE_INCOMPATIBLE: 3,
  STREAMS_STATE_NEWER: 3,
  STREAMS_STATE_FINAL: 3,
  STREAMS_TASK_MIGRATED: 1,
  STREAMS_BROKER: 1,
  STREAMS_FENCED_INSTANCE_ID: 1,
  STREAMS_BATCH_CORRUPT: 1,
  STREAMS_BATCH_UNSUPPORTED: 3,
  STREAMS_INTERNAL_TOPIC: 3,
  STREAMS_MISSING_SOURCE_TOPIC: 1,
  STREAMS_PARTITION_MISMATCH: 1,
  STREAMS_DATABASE: 1,
  STREAMS_FILE: 1,
  STREAMS_FILE_REWRITTEN: 3,
  STREAMS_INPUT_REFUSED: 3,
  STREAMS_BAD_ROW: 1,
  STREAMS_SINK: 1,
  STREAMS_PORT: 1,
  STREAMS_TIMEOUT: 1,
  STREAMS_CLOSED: 1,
};

/** Where an error happened; every field is optional. */
export interface StreamsErrorDetails {
  readonly taskId?: string;
  readonly nodeName?: string;
  readonly store?: string;
  /** The key of the record or row, in words: `"a"`. */
  readonly key?: string;
  readonly topic?: string;
  readonly partition?: number;
  /** Offset of the record: a broker's offset, or the byte offset in a file. */
  readonly offset?: number;
  readonly file?: string;
  /** Line in the file, from 1, the header included. */
  readonly line?: number;
  readonly retriable?: boolean;
  readonly cause?: unknown;
}

const brand: unique symbol = Symbol.for('weir.StreamsError') as never;

/**
 * An error that reaches the user: bad input, bad configuration, a failing disk or broker.
 *
 * Its message says what happened, where, and what to do. Programming mistakes are TypeError or RangeError instead, without a code.
 */
export class StreamsError extends Error {
  override readonly name: string = 'StreamsError';
  /** Stable code, such as `STREAMS_STATE_STORE_LOCKED`. */
  readonly code: StreamsErrorCode;
  /** Where it happened. Its `cause`, the error's own, is not enumerable: what prints an error prints the cause once. */
  readonly details: StreamsErrorDetails;

  constructor(code: StreamsErrorCode, message: string, details: StreamsErrorDetails = {}) {
    const { cause, ...place } = details;
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = cause === undefined ? place : Object.defineProperty(place, 'cause', { value: cause });
    Object.defineProperty(this, brand, { value: true, enumerable: false });
  }

  /** Whether a retry of the same operation can succeed. */
  get retriable(): boolean {
    return this.details.retriable ?? false;
  }

  /** True for a StreamsError of any copy of this package. */
  static is(error: unknown): error is StreamsError {
    return typeof error === 'object' && error !== null && (error as Record<symbol, unknown>)[brand] === true;
  }

  /** The error itself if it is a StreamsError, else a new one around it. */
  static from(
    error: unknown,
    code: StreamsErrorCode,
    message: string,
    details: StreamsErrorDetails = {},
  ): StreamsError {
    return StreamsError.is(error) ? error : new StreamsError(code, message, { ...details, cause: error });
  }
}

/** The exit code for an error: that of its code, else 1. */
export function exitCodeOf(error: unknown): ExitCode {
  return StreamsError.is(error) ? streamsErrors[error.code] : 1;
}

/** The text of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Why a folder could not be read or made, such as `permission is denied`: the system's own words name its call instead. */
export function folderReason(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'it does not exist';
  if (code === 'ENOTDIR' || code === 'EEXIST') return 'a file is there, or in the place of a folder above it';
  return code === 'EACCES' || code === 'EPERM' ? 'permission is denied' : messageOf(error);
}
