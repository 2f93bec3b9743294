import { StreamsError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { EmbeddedOptions } from '../runtime/embedded-options.ts';
import { EmbeddedStreams } from '../runtime/embedded-streams.ts';
import { refuseOtherKind } from '../runtime/folder-kind.ts';
import { StateFolder } from '../runtime/state-folder.ts';
import type { Application, ApplicationSpec, OpenState } from './application.ts';
import { topicsOf } from './application.ts';
import { type FolderInput, refuseSwapped } from './folder-inputs.ts';
import { type GivenSettings, savedForm, settingsOf } from './replay-settings.ts';

/** How a state is opened. */
export interface OpenStateOptions {
  readonly directory: string;
  /** @defaultValue silent */
  readonly logger?: Logger;
  /** Given: the state is to take input, and is made if it is absent. Left out: it is there already, and only read. */
  readonly input?: StateInput;
}

/** What a state is to take. */
export interface StateInput {
  /** Settings that it must have. */
  readonly settings: GivenSettings;
  readonly folders: readonly FolderInput[];
  /** How the engine takes it. */
  readonly engine: Omit<EmbeddedOptions, 'stateDir'>;
}

/**
 * Opens a state folder with the settings it was made with. Nobody else can open it until it is closed.
 *
 * @throws {@link StreamsError} `STREAMS_STATE_STORE_LOCKED`, `STREAMS_STATE_MISSING`, `STREAMS_STATE_INCOMPATIBLE`, `STREAMS_STATE_NEWER`; `STREAMS_STATE_FINAL`
 * if it is to take input and is final.
 */
export async function openState(
  spec: ApplicationSpec,
  app: Application,
  options: OpenStateOptions,
): Promise<OpenState> {
  const { directory, input } = options;
  await refuseOtherKind(directory, 'replay');
  const folder = await StateFolder.open(directory, { create: input !== undefined });
  const { streams, settings } = await openEngine(spec, app, folder, options);
  return {
    directory,
    streams,
    settings,
    store: (name) => streams.store(name),
    finalUntilMs: () => (streams.final ? Number.POSITIVE_INFINITY : streams.operatorTimeMs() - settings.graceMs),
    close: () => streams.close(),
  };
}

async function openEngine(
  spec: ApplicationSpec,
  app: Application,
  folder: StateFolder,
  { directory, logger, input }: OpenStateOptions,
): Promise<Pick<OpenState, 'streams' | 'settings'>> {
  const { saved } = folder;
  try {
    if (input !== undefined && saved?.final === true) throw isFinal(directory);
    const settings = settingsOf(spec, input?.settings ?? {}, saved?.settings, directory);
    if (input !== undefined) {
      const format = app.format(settings);
      await refuseSwapped(folder.database, input.folders, { format, byPartition: settings.partitions > 1 });
    }
    const topology = app.topology(settings, topicsOf(spec, settings.topics));
    const options = {
      ...input?.engine,
      stateDir: directory,
      settings: savedForm(settings),
      partitions: settings.partitions,
      ...(logger && { logger }),
    };
    return { streams: await EmbeddedStreams.over(folder, topology, options), settings };
  } catch (error) {
    await folder.close();
    throw error;
  }
}

function isFinal(directory: string): StreamsError {
  return new StreamsError(
    'STREAMS_STATE_FINAL',
    `${directory} is final: its windows were closed for good, it takes no more input. Replay into another folder with --state.`,
    { file: directory },
  );
}
