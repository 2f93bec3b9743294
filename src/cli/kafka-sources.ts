import { StreamsError } from '../common/errors.ts';
import type { Config } from '../config/config.ts';
import type { Application, ApplicationSpec } from './application.ts';
import type { StoreSource } from './store-source.ts';

/** What the results of an application on Kafka are read from, while it runs or not. */
export interface KafkaSources {
  /** Whether a folder is that of an instance on Kafka. */
  holds(directory: string): Promise<boolean>;
  /** Of each task the copy that reaches furthest. @throws {@link StreamsError} `STREAMS_STATE_MISSING` - a task is in none of the folders. */
  openFolders(
    spec: ApplicationSpec,
    app: Application,
    directories: readonly string[],
    config: Config,
  ): Promise<StoreSource>;
  /** What is committed in the changelogs of `application.id` at `bootstrap.servers`. */
  openChangelogs(spec: ApplicationSpec, app: Application, config: Config): Promise<StoreSource>;
}

/** The sources on Kafka. */
export const kafkaSources: KafkaSources = {
  holds: async () => false,
  async openFolders(_spec, _app, directories) {
    throw new StreamsError(
      'STREAMS_USAGE',
      `${directories.join(' and ')} are given: the state of a replay is one folder. Give one --state.`,
    );
  },
  async openChangelogs() {
    throw new StreamsError('STREAMS_USAGE', 'changelogs cannot be read by this version. Give --url or --state.');
  },
};
