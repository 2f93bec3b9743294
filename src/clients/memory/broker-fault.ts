import { StreamsError, type StreamsErrorDetails } from '../../common/errors.ts';

/** What the broker in memory answers instead of doing what was asked: one of Kafka's error names. Never reaches users. */
export class BrokerFault extends Error {
  override readonly name = 'BrokerFault';
  /** Kafka's name, such as `UNKNOWN_MEMBER_ID`. */
  readonly error: string;

  constructor(error: string, message: string) {
    super(message);
    this.error = error;
  }

  static is(error: unknown, name?: string): error is BrokerFault {
    return error instanceof BrokerFault && (name === undefined || error.error === name);
  }
}

/** The connection was lost: whether the request was carried out is not known. */
export const connectionLost = (): BrokerFault =>
  new BrokerFault('NETWORK_EXCEPTION', 'the connection to the broker was lost');

const fencing: ReadonlySet<string> = new Set([
  'PRODUCER_FENCED',
  'INVALID_PRODUCER_EPOCH',
  'UNKNOWN_MEMBER_ID',
  'ILLEGAL_GENERATION',
  'FENCED_INSTANCE_ID',
]);

const remedies: Readonly<Record<string, string>> = {
  NETWORK_EXCEPTION: 'Check that the brokers run and can be reached.',
  REQUEST_TIMED_OUT: 'Check that the brokers run and can be reached.',
  UNKNOWN_TOPIC_OR_PARTITION: 'Create the topic, or check its name and its number of partitions.',
  TOPIC_AUTHORIZATION_FAILED: 'Give this client the right to use the topic.',
  NON_EMPTY_GROUP: 'Stop the members of the group first, or wait until their sessions are over.',
  OFFSET_METADATA_TOO_LARGE: 'Commit at most 4,096 bytes of metadata with an offset.',
};

/** What a user of the port sees of a fault. `fenced`: errors of a producer or member that is not the owner any more get a code of their own. */
export function asStreamsError(error: unknown, fenced = false, details: StreamsErrorDetails = {}): StreamsError {
  if (StreamsError.is(error)) return error;
  if (!BrokerFault.is(error)) throw error;
  const name = error.error;
  const text = `${error.message} (${name})`;
  if (fenced && fencing.has(name)) {
    return new StreamsError(
      'STREAMS_TASK_MIGRATED',
      `${text}. Another owner has taken over: drop what this one holds.`,
      {
        ...details,
        cause: error,
      },
    );
  }
  const retriable = name === 'NETWORK_EXCEPTION' || name === 'REQUEST_TIMED_OUT';
  const remedy = remedies[name] ?? "See the broker's log.";
  return new StreamsError('STREAMS_BROKER', `${text}. ${remedy}`, { ...details, retriable, cause: error });
}
