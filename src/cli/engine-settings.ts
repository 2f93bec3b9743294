import type { Config } from '../config/config.ts';
import type { SettingName } from '../config/settings.ts';
import type { EmbeddedOptions } from '../runtime/embedded-options.ts';
import type { ApplicationSpec } from './application.ts';
import { applicationIdOf } from './application-id.ts';

/** Settings of an engine over files that takes input. */
export const engineSettings: readonly SettingName[] = [
  'application.id',
  'commit.interval.ms',
  'commit.interval.records',
  'max.future.ms',
  'processing.exception.handler',
  'statestore.cache.max.bytes',
  'sync.writes',
];

/** How an engine over files takes input, by the settings. */
export function engineOptions(spec: ApplicationSpec, config: Config): Omit<EmbeddedOptions, 'stateDir'> {
  return {
    applicationId: applicationIdOf(spec, config),
    commitIntervalMs: config.get('commit.interval.ms'),
    commitIntervalRecords: config.get('commit.interval.records'),
    statestoreCacheMaxBytes: config.get('statestore.cache.max.bytes'),
    maxFutureMs: config.get('max.future.ms'),
    syncWrites: config.get('sync.writes'),
    processingExceptionHandler: () => config.get('processing.exception.handler'),
  };
}
