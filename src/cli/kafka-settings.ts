import type { Broker } from '../clients/broker.ts';
import type { Logger } from '../common/logger.ts';
import type { Config } from '../config/config.ts';
import type { SettingName } from '../config/settings.ts';
import type { KafkaStreamsOptions } from '../runtime/kafka/kafka-options.ts';
import type { ApplicationSpec } from './application.ts';
import { applicationIdOf } from './application-id.ts';
import { letterSettings, letterTopics } from './letter-settings.ts';

/** Settings of an instance on Kafka. */
export const kafkaSettings: readonly SettingName[] = [
  ...letterSettings,
  'auto.offset.reset',
  'buffered.records.per.partition',
  'commit.interval.ms',
  'compression.type',
  'deserialization.exception.handler',
  'group.instance.id',
  'heartbeat.interval.ms',
  'max.future.ms',
  'max.task.idle.ms',
  'metadata.max.age.ms',
  'num.standby.replicas',
  'num.stream.threads',
  'processing.exception.handler',
  'processing.guarantee',
  'production.exception.handler',
  'rebalance.timeout.ms',
  'repartition.purge.interval.ms',
  'replication.factor',
  'session.timeout.ms',
  'state.dir',
  'statestore.cache.max.bytes',
  'sync.writes',
  'transaction.timeout.ms',
  'window.idle.close.ms',
];

/** What a client on Kafka is made with, from the settings. */
export function kafkaOptions(
  spec: ApplicationSpec,
  config: Config,
  broker: Broker,
  logger: Logger,
): KafkaStreamsOptions {
  const groupInstanceId = config.get('group.instance.id');
  return {
    broker,
    applicationId: applicationIdOf(spec, config),
    stateDir: config.get('state.dir'),
    guarantee: config.get('processing.guarantee'),
    commitIntervalMs: config.get('commit.interval.ms'),
    statestoreCacheMaxBytes: config.get('statestore.cache.max.bytes'),
    maxFutureMs: config.get('max.future.ms'),
    maxTaskIdleMs: config.get('max.task.idle.ms'),
    ...(config.get('window.idle.close.ms') < 0 ? {} : { windowIdleCloseMs: config.get('window.idle.close.ms') }),
    bufferedRecordsPerPartition: config.get('buffered.records.per.partition'),
    numStandbyReplicas: config.get('num.standby.replicas'),
    numStreamThreads: config.get('num.stream.threads'),
    replicationFactor: config.get('replication.factor'),
    autoOffsetReset: config.get('auto.offset.reset'),
    ...(groupInstanceId === undefined ? {} : { groupInstanceId }),
    metadataMaxAgeMs: config.get('metadata.max.age.ms'),
    sessionTimeoutMs: config.get('session.timeout.ms'),
    heartbeatIntervalMs: config.get('heartbeat.interval.ms'),
    rebalanceTimeoutMs: config.get('rebalance.timeout.ms'),
    transactionTimeoutMs: config.get('transaction.timeout.ms'),
    repartitionPurgeIntervalMs: config.get('repartition.purge.interval.ms'),
    ...letterTopics(spec, config),
    deserializationHandler: () => config.get('deserialization.exception.handler'),
    processingHandler: () => config.get('processing.exception.handler'),
    productionHandler: () => config.get('production.exception.handler'),
    compression: config.get('compression.type'),
    syncWrites: config.get('sync.writes'),
    logger,
  };
}
