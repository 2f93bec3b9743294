import { StreamsError } from '../common/errors.ts';
import { refuseOtherKind } from '../runtime/folder-kind.ts';
import { type Rebuilt, rebuildStores } from '../runtime/rebuild-stores.ts';
import { StateFolder } from '../runtime/state-folder.ts';
import { type Application, type ApplicationSpec, type ReplaySettings, topicsOf } from './application.ts';
import type { CommandContext } from './command-spec.ts';
import { engineOptions } from './engine-settings.ts';
import { openFolderFeeds } from './folder-feeds.ts';
import { type FolderInput, refuseSwapped } from './folder-inputs.ts';
import type { ReplayRequest } from './replay.ts';
import { changeableSettings, savedForm, settingsOf } from './replay-settings.ts';
import { withCleanup } from './with-cleanup.ts';

/**
 * Makes stores of a state anew out of the folders that it has read.
 *
 * @returns undefined if the signal came first: the state is as it was.
 */
export async function rebuild(
  spec: ApplicationSpec,
  app: Application,
  { state: directory, settings: given, events, rebuild: stores, dead, late }: ReplayRequest,
  folders: readonly FolderInput[],
  { config, logger, signal }: CommandContext,
): Promise<Rebuilt | undefined> {
  if (events.length === 0)
    throw new StreamsError(
      'STREAMS_USAGE',
      `--rebuild ${stores[0]} makes the store anew of the folders that were read: give them with --events.`,
    );
  await refuseOtherKind(directory, 'replay');
  const folder = await StateFolder.open(directory, { create: false });
  let settings: ReplaySettings;
  try {
    const saved = folder.saved!.settings;
    settings = settingsOf(spec, { ...given, topics: events.length }, saved, directory, changeableSettings);
    const format = app.format(settings);
    await refuseSwapped(folder.database, folders, { format, byPartition: settings.partitions > 1 });
  } finally {
    await folder.close();
  }
  const topology = app.topology(settings, topicsOf(spec, settings.topics));
  return withCleanup(async (defer) => {
    const feeds = await openFolderFeeds(
      app,
      { directory, settings, streams: { topology } },
      { folders, follow: false, verify: false, onError: 'continue', dead, late, logger },
      defer,
    );
    const options = { ...engineOptions(spec, config), stateDir: directory, settings: savedForm(settings), logger };
    return rebuildStores(topology, { ...options, partitions: settings.partitions }, { stores, feeds, signal });
  });
}
