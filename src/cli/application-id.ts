import type { Config } from '../config/config.ts';
import type { ApplicationSpec } from './application.ts';

/** The application's name on Kafka: `application.id`, or what the application says where that is not set. */
export function applicationIdOf(spec: ApplicationSpec, config: Config): string {
  return config.origin('application.id').source === 'default' ? spec.applicationId : config.get('application.id');
}
