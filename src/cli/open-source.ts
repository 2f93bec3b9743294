import { StreamsError } from '../common/errors.ts';
import type { Config } from '../config/config.ts';
import { refuseOtherKind } from '../runtime/folder-kind.ts';
import type { Application, ApplicationSpec } from './application.ts';
import { httpToken } from './http-token.ts';
import { openState } from './open-state.ts';
import type { SourceRequest } from './source-options.ts';
import type { StoreSource } from './store-source.ts';

/**
 * Opens results to read them, wherever they are. Nobody else can open a state folder until its source is closed.
 *
 * @throws {@link StreamsError} What opening the folders, asking the application or reading the changelogs throws.
 */
export async function openSource(
  spec: ApplicationSpec,
  app: Application,
  request: SourceRequest,
  config: Config,
): Promise<StoreSource> {
  // Loaded here, so that a command that reads a folder starts without what asks others.
  if (request.kind === 'url')
    return (await import('./remote-source.ts')).openUrl(spec, app, request.url, httpToken(config));
  const { kafkaSources } = await import('./kafka-sources.ts');
  if (request.kind === 'changelogs') return kafkaSources.openChangelogs(spec, app, config);
  const { directories } = request;
  const [first] = directories as [string];
  try {
    for (const directory of directories)
      if (await kafkaSources.holds(directory)) await refuseOtherKind(directory, 'instance');
    if (directories.length > 1 || (await kafkaSources.holds(first)))
      return await kafkaSources.openFolders(spec, app, directories);
    return await openFolder(spec, app, first);
  } catch (error) {
    throw StreamsError.is(error) && error.code === 'STREAMS_STATE_STORE_LOCKED' ? locked(error) : error;
  }
}

async function openFolder(spec: ApplicationSpec, app: Application, directory: string): Promise<StoreSource> {
  const state = await openState(spec, app, { directory });
  return { ...state, place: directory, digest: () => state.streams.digest() };
}

/** Says how an application that runs can be read. */
function locked(error: StreamsError): StreamsError {
  const remedy =
    'To read the results of an application that runs, give its address with --url, or if it runs on Kafka --brokers and --application-id.';
  return new StreamsError(error.code, `${error.message} ${remedy}`, error.details);
}
