import type { DatabaseFactory } from '../../state/database.ts';
import { type Logger, stderrLogger } from '../common/logger.ts';
import { checkOptions, type OptionKind } from '../config/check-options.ts';
import { defaultOf } from '../config/defaults.ts';
import type { SettingName, SettingValues } from '../config/settings.ts';
import type { ProcessingExceptionHandler } from './record-failure.ts';
import type { OutputReceiver } from './runtime-nodes.ts';
import type { StateSettings } from './state-folder.ts';

/** How an embedded client runs. Names and defaults are those of docs/configuration.md. */
export interface EmbeddedOptions {
  /** @defaultValue 'weir' */
  readonly applicationId?: string;
  /** Folder of the state; one process at a time can have it. */
  readonly stateDir: string;
  /** Partitions of the source topics. Lateness depends on it. @defaultValue what the folder says, else 1 */
  readonly partitions?: number;
  /** Settings that results depend on, kept with the state: other values are refused later. */
  readonly settings?: StateSettings;
  /** ms between commits. @defaultValue 1000 */
  readonly commitIntervalMs?: number;
  /** Records between commits. @defaultValue 1000000 */
  readonly commitIntervalRecords?: number;
  /** Bytes of all caches; half of it may be dirty. @defaultValue 67108864 */
  readonly statestoreCacheMaxBytes?: number;
  /** ms by which an event may lie after its arrival. @defaultValue 3600000 */
  readonly maxFutureMs?: number;
  /** False: a commit survives a killed process but not a loss of power. @defaultValue true */
  readonly syncWrites?: boolean;
  /** False: a folder without state is an error. @defaultValue true */
  readonly create?: boolean;
  readonly processingExceptionHandler?: ProcessingExceptionHandler;
  /** Takes what the topology writes to topics. @defaultValue a topology with sinks is refused */
  readonly output?: OutputReceiver;
  /** @defaultValue one that writes warnings and errors to stderr */
  readonly logger?: Logger;
  /** Opens the database. @defaultValue LevelDB */
  readonly openDatabase?: DatabaseFactory;
}

/** All options, and what each may be. */
const kinds: Readonly<Record<keyof EmbeddedOptions, OptionKind>> = {
  applicationId: 'string',
  stateDir: 'string',
  partitions: 1,
  settings: 'object',
  commitIntervalMs: 0,
  commitIntervalRecords: 1,
  statestoreCacheMaxBytes: 0,
  maxFutureMs: 0,
  syncWrites: 'boolean',
  create: 'boolean',
  processingExceptionHandler: 'function',
  output: 'function',
  logger: 'object',
  openDatabase: 'function',
};

/**
 * Refuses options that do not exist, or are of another type.
 *
 * @throws TypeError, RangeError
 */
export function checkEmbeddedOptions(options: EmbeddedOptions): void {
  if ('numStreamThreads' in options)
    throw new TypeError(
      'EmbeddedStreams has no option numStreamThreads: a state over files is one database, and each commit is one step over all of its tasks, so one thread has them. On Kafka KafkaStreams.fromModule has several',
    );
  checkOptions('EmbeddedStreams', options, kinds, ['stateDir']);
}

type OptionalName = 'partitions' | 'settings' | 'output' | 'openDatabase';

/** Options with their defaults filled in. */
export type FilledEmbeddedOptions = Required<Omit<EmbeddedOptions, OptionalName>> & Pick<EmbeddedOptions, OptionalName>;

/** Fills in the defaults. */
export function filledEmbeddedOptions(options: EmbeddedOptions): FilledEmbeddedOptions {
  return {
    ...options,
    applicationId: options.applicationId ?? overFiles('application.id'),
    commitIntervalMs: options.commitIntervalMs ?? overFiles('commit.interval.ms'),
    commitIntervalRecords: options.commitIntervalRecords ?? overFiles('commit.interval.records'),
    statestoreCacheMaxBytes: options.statestoreCacheMaxBytes ?? overFiles('statestore.cache.max.bytes'),
    maxFutureMs: options.maxFutureMs ?? overFiles('max.future.ms'),
    syncWrites: options.syncWrites ?? overFiles('sync.writes'),
    create: options.create ?? true,
    processingExceptionHandler: options.processingExceptionHandler ?? (() => 'fail'),
    logger: options.logger ?? stderrLogger,
  };
}

/** The default of a setting over files. */
function overFiles<N extends SettingName>(name: N): SettingValues[N] {
  return defaultOf(name, {}, 'embedded');
}
