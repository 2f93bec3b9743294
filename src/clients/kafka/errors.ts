import { messageOf, StreamsError } from '../../common/errors.ts';
import { errorName } from './error-codes.ts';
import type { KafkajsError } from './kafkajs.ts';

/** The oldest brokers that are supported. */
export const oldestKafka = '3.7';

/** A broker has answered with an error code. */
export class KafkaError extends Error {
  override readonly name = 'KafkaError';
  /** Kafka's name of the code, such as `NOT_COORDINATOR`. */
  readonly kafka: string;

  constructor(kafka: string, detail?: string) {
    super(detail === undefined ? kafka : `${kafka}: ${detail}`);
    this.kafka = kafka;
  }
}

/** No connection, or one that was lost or closed, or no answer in time: whether the broker has done what was asked is not known. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

/** The error of an answer's code; undefined for none. */
export function errorOfCode(code: number, detail?: string | null): KafkaError | undefined {
  return code === 0 ? undefined : new KafkaError(errorName(code), detail ?? undefined);
}

/** Throws the error of an answer's code, if it is one. */
export function check(code: number, detail?: string | null): void {
  const error = errorOfCode(code, detail);
  if (error) throw error;
}

/** What a request has failed with, as one of the errors above; what no retry helps as StreamsError; programming mistakes as they are. */
export function fromKafkajs(error: unknown, address: string): Error {
  if (error instanceof KafkaError || error instanceof ConnectionLost || StreamsError.is(error)) return error;
  if (error instanceof TypeError) return error;
  if (error instanceof RangeError) {
    return new StreamsError('STREAMS_BROKER', `${address}: an answer that cannot be read: ${error.message}.`, {
      cause: error,
    });
  }
  const thrown = error as KafkajsError;
  if (thrown.type === 'ILLEGAL_SASL_STATE') {
    const text = `${address} takes no login (ILLEGAL_SASL_STATE): its listener is without SASL. Set security.protocol to plaintext or ssl, or name the port of a listener with SASL.`;
    return new StreamsError('STREAMS_BROKER', text, { cause: error });
  }
  if (thrown.type === 'UNSUPPORTED_SASL_MECHANISM') {
    const text = `${address} does not know the login (UNSUPPORTED_SASL_MECHANISM). Set sasl.mechanism to one that the broker has enabled.`;
    return new StreamsError('STREAMS_BROKER', text, { cause: error });
  }
  if (typeof thrown.type === 'string') return new KafkaError(thrown.type);
  if (thrown.name === 'KafkaJSSASLAuthenticationError') {
    const text = `${address} refuses the login: ${thrown.message}. Check sasl.mechanism, sasl.username and sasl.password.`;
    return new StreamsError('STREAMS_BROKER', text, { cause: error });
  }
  if (thrown.name === 'KafkaJSServerDoesNotSupportApiKey') {
    const text = `${address} is too old a broker: ${thrown.message}. Kafka ${oldestKafka} or later is needed.`;
    return new StreamsError('STREAMS_BROKER', text, { cause: error });
  }
  if (thrown.code !== undefined && /CERT|ERR_TLS|ERR_SSL/.test(thrown.code)) {
    const text = `${address}: no TLS connection: ${thrown.message}. Check that the port speaks TLS (security.protocol), and that ssl.ca.file holds the certificate of who has signed the broker's.`;
    return new StreamsError('STREAMS_BROKER', text, { cause: error });
  }
  // A broker that does not speak TLS closes at the first bytes of it, and so does one that is stopping.
  const hint = /before secure TLS connection/.test(thrown.message)
    ? '. A listener without TLS does that: security.protocol is then plaintext or sasl_plaintext'
    : '';
  return new ConnectionLost(`${address}: ${thrown.message}${hint}`, { cause: error });
}

/** Errors that go by themselves: wait and ask again. */
const passing = new Set([
  'BROKER_NOT_AVAILABLE',
  'CONCURRENT_TRANSACTIONS',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'KAFKA_STORAGE_ERROR',
  'NETWORK_EXCEPTION',
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'OFFSET_NOT_AVAILABLE',
  'REQUEST_TIMED_OUT',
  'THROTTLING_QUOTA_EXCEEDED',
  'UNKNOWN_SERVER_ERROR',
  'UNSTABLE_OFFSET_COMMIT',
]);

/** Errors that say that what the client knows of the cluster is old: look it up and ask again. */
const moved = new Set([
  'COORDINATOR_NOT_AVAILABLE',
  'FENCED_LEADER_EPOCH',
  'LEADER_NOT_AVAILABLE',
  'LISTENER_NOT_FOUND',
  'NOT_CONTROLLER',
  'NOT_COORDINATOR',
  'NOT_LEADER_OR_FOLLOWER',
  'REPLICA_NOT_AVAILABLE',
  'UNKNOWN_LEADER_EPOCH',
  'UNKNOWN_TOPIC_ID',
  'INCONSISTENT_TOPIC_ID',
  'UNKNOWN_TOPIC_OR_PARTITION',
]);

/** Whether the same can be asked again with hope. */
export function isRetriable(error: unknown): boolean {
  return (
    error instanceof ConnectionLost ||
    (error instanceof KafkaError && (passing.has(error.kafka) || moved.has(error.kafka)))
  );
}

/** Whether the cluster is to be looked at again before. */
export function isMoved(error: unknown): boolean {
  return error instanceof ConnectionLost || (error instanceof KafkaError && moved.has(error.kafka));
}

/** How long a topic that no broker knows is waited for, ms: one that was made just now need not be known everywhere. */
export const newTopicMs = 5000;

/** Whether there is no such topic or partition, as far as the broker knows. */
export function isUnknown(error: unknown): boolean {
  return isKafka(error, 'UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID');
}

/** Whether a broker has answered with this error. */
export function isKafka(error: unknown, ...names: readonly string[]): error is KafkaError {
  return error instanceof KafkaError && names.includes(error.kafka);
}

/** The error that reaches the user. */
export function brokerError(what: string, error: unknown): StreamsError {
  if (StreamsError.is(error)) return error;
  const text = messageOf(error).replace(/\.$/, '');
  return new StreamsError('STREAMS_BROKER', `${what}: ${text}. ${remedy(error)}`, {
    cause: error,
    retriable: isRetriable(error),
  });
}

function remedy(error: unknown): string {
  if (error instanceof ConnectionLost)
    return 'Check that the brokers run and that their advertised addresses can be reached from here.';
  if (error instanceof KafkaError && error.kafka.endsWith('_AUTHORIZATION_FAILED'))
    return 'Grant the user the right to do it: docs/kafka.md lists what an application needs.';
  if (isKafka(error, 'UNSTABLE_OFFSET_COMMIT'))
    return 'A transaction is open. If it stays so for longer than its timeout, the broker has lost its end: kafka-transactions.sh find-hanging names it. See docs/kafka.md.';
  return 'See the log of the broker.';
}
