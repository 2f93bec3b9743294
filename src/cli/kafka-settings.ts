import type { Broker } from '../clients/broker.ts';
import type { Logger } from '../common/logger.ts';
import type { Config } from '../config/config.ts';
import type { KafkaStreamsOptions } from '../runtime/kafka/kafka-options.ts';
import { type ApplicationSpec, applicationIdOf } from './application.ts';

/** What a client on Kafka is made with, from the settings. */
export function kafkaOptions(
  spec: ApplicationSpec,
  config: Config,
  broker: Broker,
  logger: Logger,
): KafkaStreamsOptions {
  // Absent: named after the application.
  const letterTopic = (name: 'dead.letter.topic.name' | 'late.topic.name'): string | undefined => {
    if (config.origin(name).source === 'default') return undefined;
    return config.get(name) === '-' ? '' : config.get(name);
  };
  const dead = letterTopic('dead.letter.topic.name');
  const late = letterTopic('late.topic.name');
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
    replicationFactor: config.get('replication.factor'),
    autoOffsetReset: config.get('auto.offset.reset'),
    metadataMaxAgeMs: config.get('metadata.max.age.ms'),
    sessionTimeoutMs: config.get('session.timeout.ms'),
    heartbeatIntervalMs: config.get('heartbeat.interval.ms'),
    rebalanceTimeoutMs: config.get('rebalance.timeout.ms'),
    transactionTimeoutMs: config.get('transaction.timeout.ms'),
    repartitionPurgeIntervalMs: config.get('repartition.purge.interval.ms'),
    ...(dead === undefined ? {} : { deadLetterTopic: dead }),
    ...(late === undefined ? {} : { lateTopic: late }),
    deserializationHandler: () => config.get('deserialization.exception.handler'),
    processingHandler: () => config.get('processing.exception.handler'),
    productionHandler: () => config.get('production.exception.handler'),
    compression: config.get('compression.type'),
    syncWrites: config.get('sync.writes'),
    logger,
  };
}
