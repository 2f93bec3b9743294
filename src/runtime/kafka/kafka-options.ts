import type { DatabaseFactory } from '../../../state/database.ts';
import type { Broker } from '../../clients/broker.ts';
import { checkCodec } from '../../clients/record-batch/compression.ts';
import type { StreamsError } from '../../common/errors.ts';
import { type Logger, stderrLogger } from '../../common/logger.ts';
import { checkOptions, type OptionKind, timer } from '../../config/check-options.ts';
import { defaultOf } from '../../config/defaults.ts';
import type { StateSettings } from '../state-folder.ts';
import type { RestoreProgress } from './changelog-follower.ts';
import type { ModuleOptions } from './thread-module.ts';

/** Told how restores go. Kafka Streams: `StateRestoreListener`. */
export interface RestoreListener {
  /** A changelog is about to be read, from `fromOffset` to `endOffset`. */
  onRestoreStart?(progress: RestoreProgress): void;
  /** A batch was written to the copy. */
  onBatchRestored?(progress: RestoreProgress, records: number): void;
  /** All of it is read and written. */
  onRestoreEnd?(progress: RestoreProgress): void;
}

/** What becomes of a client in which an error was not handled. Kafka Streams: `StreamThreadExceptionResponse`. */
export type UncaughtResponse = 'replace-thread' | 'shutdown-client' | 'shutdown-application';

/** How a client runs on Kafka. Names and defaults are those of docs/configuration.md. */
export interface KafkaStreamsOptions {
  readonly broker: Broker;
  /** Consumer group, and prefix of internal topics and transactional ids. */
  readonly applicationId: string;
  /** Folder of this instance's state; one process at a time can have it. */
  readonly stateDir: string;
  /** Settings that results depend on, kept with the state: other values are refused later. */
  readonly settings?: StateSettings;
  /** @defaultValue 'exactly_once' */
  readonly guarantee?: 'exactly_once' | 'at_least_once';
  /** ms between commits. @defaultValue 100 exactly once, 30000 at least once */
  readonly commitIntervalMs?: number;
  /** Bytes of all caches; half of it may be dirty. @defaultValue 67108864 */
  readonly statestoreCacheMaxBytes?: number;
  /** @defaultValue 3600000 */
  readonly maxFutureMs?: number;
  /** @defaultValue 0 */
  readonly maxTaskIdleMs?: number;
  /**
   * ms without anything to read after which a task's windows close by the wall clock, so long behind it. Results then depend on timing.
   * @defaultValue never
   */
  readonly windowIdleCloseMs?: number;
  /** Records of a partition waiting above which it is not fetched. @defaultValue 10000 */
  readonly bufferedRecordsPerPartition?: number;
  /** @defaultValue 0 */
  readonly numStandbyReplicas?: number;
  /** Stream threads that the client starts with. More than one only with `KafkaStreams.fromModule`. @defaultValue 1 */
  readonly numStreamThreads?: number;
  /** @defaultValue -1: the broker's */
  readonly replicationFactor?: number;
  /** Where a partition without committed position begins. @defaultValue 'earliest' */
  readonly autoOffsetReset?: 'earliest' | 'latest' | 'none';
  /**
   * True: goes on where a topic that it reads, or a position of the group, is not what was committed before. What is lost stays uncounted, and what is read again counts again. For one start, on purpose.
   * @defaultValue false: such a start is refused
   */
  readonly acceptLoss?: boolean;
  /**
   * Name of this member over its restarts (static membership); every member that runs at the same time has another. One that is back within the session timeout has its tasks again, without a new generation.
   * A second member of the same name fences the first, which ends with `STREAMS_FENCED_INSTANCE_ID`. Letters, digits, `.`, `_`, `-`. @defaultValue none: each start is a new member
   */
  readonly groupInstanceId?: string;
  /** ms between two looks at the topics: whether they are the same, and have as many partitions. @defaultValue 300000 */
  readonly metadataMaxAgeMs?: number;
  /** @defaultValue 45000 */
  readonly sessionTimeoutMs?: number;
  /**
   * ms between two signs of life to the group. Less than `sessionTimeoutMs`; more than a third of it is taken as it is, with a warning.
   * @defaultValue 1000, or a third of `sessionTimeoutMs` where that is less
   */
  readonly heartbeatIntervalMs?: number;
  /** @defaultValue 60000 */
  readonly rebalanceTimeoutMs?: number;
  /** ms after which the broker aborts a transaction that nobody ends. @defaultValue 10000 */
  readonly transactionTimeoutMs?: number;
  /** ms between deletions of repartition records that are consumed. @defaultValue 30000 */
  readonly repartitionPurgeIntervalMs?: number;
  /** ms without broker after which copies of the state may have missed deletions. @defaultValue the changelog's delete.retention.ms, else 86400000 */
  readonly deleteRetentionMs?: number;
  /** Where others reach this instance's HTTP endpoints, 'host:port'. */
  readonly applicationServer?: string;
  /** Name of the topic for records that cannot be processed; '' for none. @defaultValue `<application id>-dead-letters` */
  readonly deadLetterTopic?: string;
  /** Name of the topic for late records; '' for none. @defaultValue `<application id>-late` */
  readonly lateTopic?: string;
  /** @defaultValue continue */
  readonly deserializationHandler?: (error: StreamsError) => 'continue' | 'fail';
  /** @defaultValue fail */
  readonly processingHandler?: (error: StreamsError) => 'continue' | 'fail';
  /** Not asked of a row for a changelog: that is the end. @defaultValue fail */
  readonly productionHandler?: (error: StreamsError) => 'continue' | 'fail';
  /** Of all that is written to the broker. zstd needs Node 22.15 or later. @defaultValue 'none' */
  readonly compression?: 'none' | 'gzip' | 'lz4' | 'snappy' | 'zstd';
  /** @defaultValue shutdown-client */
  readonly uncaughtHandler?: (error: unknown) => UncaughtResponse;
  readonly restoreListener?: RestoreListener;
  /** True: a commit waits until the disk has it. The changelogs have it in any case. @defaultValue false */
  readonly syncWrites?: boolean;
  /** @defaultValue one that writes warnings and errors to stderr */
  readonly logger?: Logger;
  /** Opens the databases. @defaultValue LevelDB */
  readonly openDatabase?: DatabaseFactory;
}

/** As {@link KafkaStreamsOptions}, with brokers to ask in place of one that is open: the client opens the connections, and closes them when it ends. */
export interface BootstrapOptions extends Omit<KafkaStreamsOptions, 'broker' | 'stateDir'> {
  /** `host:port` of some of the brokers. TLS and SASL need `openKafkaBroker`. */
  readonly bootstrapServers: readonly string[];
  /** Folder of the state; one process at a time can have it. @defaultValue `.data/<application id>` */
  readonly stateDir?: string;
}

/** As {@link BootstrapOptions}, without those that are functions, which the module gives; `bootstrapServers` is not needed where it gives a broker. */
export type FromModuleOptions = Omit<BootstrapOptions, 'bootstrapServers' | keyof ModuleOptions> &
  Partial<Pick<BootstrapOptions, 'bootstrapServers'>>;

/** All options, and what each may be. */
const kinds: Readonly<Record<keyof KafkaStreamsOptions | keyof BootstrapOptions, OptionKind>> = {
  broker: 'object',
  bootstrapServers: 'object',
  applicationId: 'string',
  stateDir: 'string',
  settings: 'object',
  guarantee: ['exactly_once', 'at_least_once'],
  commitIntervalMs: 0,
  statestoreCacheMaxBytes: 0,
  maxFutureMs: 0,
  maxTaskIdleMs: -1,
  windowIdleCloseMs: 0,
  bufferedRecordsPerPartition: 1,
  numStandbyReplicas: 0,
  numStreamThreads: { min: 1, max: 1024 },
  replicationFactor: -1,
  autoOffsetReset: ['earliest', 'latest', 'none'],
  acceptLoss: 'boolean',
  groupInstanceId: 'string',
  metadataMaxAgeMs: timer(1),
  sessionTimeoutMs: timer(1),
  heartbeatIntervalMs: timer(1),
  rebalanceTimeoutMs: timer(1),
  transactionTimeoutMs: timer(1),
  repartitionPurgeIntervalMs: timer(0),
  deleteRetentionMs: 0,
  applicationServer: 'string',
  deadLetterTopic: 'string',
  lateTopic: 'string',
  deserializationHandler: 'function',
  processingHandler: 'function',
  productionHandler: 'function',
  compression: ['none', 'gzip', 'lz4', 'snappy', 'zstd'],
  uncaughtHandler: 'function',
  restoreListener: 'object',
  syncWrites: 'boolean',
  logger: 'object',
  openDatabase: 'function',
};

/**
 * Refuses options that do not exist, or are of another type.
 *
 * @throws TypeError, RangeError
 */
export function checkKafkaOptions(options: KafkaStreamsOptions | BootstrapOptions): void {
  const either = 'broker' in options ? (['broker', 'stateDir'] as const) : (['bootstrapServers'] as const);
  checkOptions('KafkaStreams', options, kinds, ['applicationId', ...either]);
  const { groupInstanceId } = options;
  if (groupInstanceId !== undefined && !/^[\w.-]{1,249}$/.test(groupInstanceId))
    throw new RangeError(
      `KafkaStreams: groupInstanceId is ${JSON.stringify(groupInstanceId)}, expected 1 to 249 letters, digits, ".", "_" or "-"`,
    );
}

type OptionalName =
  | 'applicationServer'
  | 'groupInstanceId'
  | 'openDatabase'
  | 'deleteRetentionMs'
  | 'windowIdleCloseMs';

/** Options with their defaults filled in. */
export type FilledOptions = Required<Omit<KafkaStreamsOptions, OptionalName>> & Pick<KafkaStreamsOptions, OptionalName>;

/**
 * Refuses heartbeats as rare as the session is long, for which the broker takes the instance for dead, and warns of such that leave no room for a late one.
 *
 * @throws RangeError
 */
export function checkHeartbeats({ heartbeatIntervalMs, sessionTimeoutMs, logger }: FilledOptions): void {
  if (heartbeatIntervalMs >= sessionTimeoutMs)
    throw new RangeError(
      `heartbeatIntervalMs of KafkaStreams is ${heartbeatIntervalMs}: give less than sessionTimeoutMs, which is ${sessionTimeoutMs}, and at most a third of it`,
    );
  if (3 * heartbeatIntervalMs > sessionTimeoutMs)
    logger.warn(
      { heartbeatIntervalMs, sessionTimeoutMs },
      `a heartbeat each ${heartbeatIntervalMs} ms (heartbeat.interval.ms) is less often than three times in the ${sessionTimeoutMs} ms of session.timeout.ms: where one is late, the group takes this instance for dead and gives its tasks away`,
    );
}

/** Fills the defaults in. @throws StreamsError `STREAMS_CONFIG` for a compression that cannot be written here */
export function filledOptions(options: KafkaStreamsOptions): FilledOptions {
  const { applicationId, guarantee = defaultOf('processing.guarantee') } = options;
  checkCodec(options.compression ?? defaultOf('compression.type'));
  const { sessionTimeoutMs = defaultOf('session.timeout.ms') } = options;
  return {
    settings: {},
    commitIntervalMs: defaultOf('commit.interval.ms', { 'processing.guarantee': guarantee }),
    statestoreCacheMaxBytes: defaultOf('statestore.cache.max.bytes'),
    maxFutureMs: defaultOf('max.future.ms'),
    maxTaskIdleMs: defaultOf('max.task.idle.ms'),
    bufferedRecordsPerPartition: defaultOf('buffered.records.per.partition'),
    numStandbyReplicas: defaultOf('num.standby.replicas'),
    numStreamThreads: defaultOf('num.stream.threads'),
    replicationFactor: defaultOf('replication.factor'),
    autoOffsetReset: defaultOf('auto.offset.reset'),
    acceptLoss: false,
    metadataMaxAgeMs: defaultOf('metadata.max.age.ms'),
    heartbeatIntervalMs: defaultOf('heartbeat.interval.ms', { 'session.timeout.ms': sessionTimeoutMs }),
    rebalanceTimeoutMs: defaultOf('rebalance.timeout.ms'),
    transactionTimeoutMs: defaultOf('transaction.timeout.ms'),
    repartitionPurgeIntervalMs: defaultOf('repartition.purge.interval.ms'),
    deadLetterTopic: defaultOf('dead.letter.topic.name', { 'application.id': applicationId }),
    lateTopic: defaultOf('late.topic.name', { 'application.id': applicationId }),
    deserializationHandler: () => defaultOf('deserialization.exception.handler'),
    processingHandler: () => defaultOf('processing.exception.handler'),
    productionHandler: () => defaultOf('production.exception.handler'),
    compression: defaultOf('compression.type'),
    uncaughtHandler: () => 'shutdown-client',
    restoreListener: {},
    syncWrites: defaultOf('sync.writes'),
    logger: stderrLogger,
    ...withoutUndefined(options),
    guarantee,
    sessionTimeoutMs,
  };
}

function withoutUndefined(options: KafkaStreamsOptions): KafkaStreamsOptions {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as unknown as KafkaStreamsOptions;
}
