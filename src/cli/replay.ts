import { StreamsError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { Zone } from '../common/time/zone.ts';
import type { Feed } from '../runtime/feed.ts';
import type { Application, ApplicationSpec, OpenState } from './application.ts';
import type { CommandContext } from './command-spec.ts';
import { engineOptions } from './engine-settings.ts';
import { filesFormat, withFormat } from './files-format.ts';
import { deadFileOf, openFolderFeeds } from './folder-feeds.ts';
import { type FolderInput, folderInputs } from './folder-inputs.ts';
import { httpAccess } from './http-access.ts';
import { checkInput } from './input-verdict.ts';
import { openState } from './open-state.ts';
import type { RunningProgress } from './progress.ts';
import { progressOf, type ReplayProgress, type ReplaySummary, summaryOf } from './replay-progress.ts';
import { type GivenSettings, settingsOf } from './replay-settings.ts';
import { untilAborted } from './until-aborted.ts';
import { type Defer, withCleanup } from './with-cleanup.ts';

/** What is to be replayed, and how. */
export interface ReplayRequest {
  /** Folders of events. */
  readonly events: readonly string[];
  /** Folders of global tables, by store. */
  readonly tables: ReadonlyMap<string, string>;
  readonly state: string;
  readonly settings: Omit<GivenSettings, 'topics'>;
  readonly out?: string | undefined;
  readonly follow: boolean;
  readonly serve: boolean;
  readonly final: boolean;
  readonly verify: boolean;
  /** Stores that are made anew before anything else. */
  readonly rebuild: readonly string[];
  /** File of `--format`. */
  readonly format?: string | undefined;
  readonly dead?: string | undefined;
  readonly late?: string | undefined;
  readonly port: number;
  /** Address to serve at. */
  readonly host: string;
}

/** Told how a replay goes. */
export interface ReplayHooks {
  /** The server listens, nothing is read yet. */
  serving?(url: string): void;
  /** All input is taken and committed, and exported if asked; the state is still open, and the server, if any, runs. */
  done?(state: OpenState, summary: ReplaySummary): Promise<void> | void;
}

/**
 * Takes folders into a state: first the global tables, then the events; then exports, and serves until the signal, as asked.
 *
 * When the signal comes before the end of the input, what was read is committed and the rest is left to the next run: nothing is exported, and `done` is not
 * called. With `follow` the signal is the end of the input.
 */
export async function replay(
  spec: ApplicationSpec,
  request: ReplayRequest,
  context: CommandContext,
  hooks: ReplayHooks = {},
): Promise<void> {
  const startMs = performance.now();
  checkRequest(spec, request);
  const app = withFormat(await spec.load(), await filesFormat(request.format));
  const format = app.format(settingsOf(spec, {}, undefined, ''));
  const folders = await folderInputs(spec, request.events, format);
  const { signal, logger } = context;
  if (request.out !== undefined && app.export === undefined)
    throw usage(
      `--out: ${spec.name} has no results to export as files. Leave it out, and read the stores with --serve`,
    );
  if (request.rebuild.length > 0) {
    const { rebuild } = await import('./rebuild.ts');
    if ((await rebuild(spec, app, request, folders, context)) === undefined) return;
  }
  await withCleanup(async (defer) => {
    const state = await openInput(spec, app, request, folders, context);
    defer(() => state.close());
    if (request.serve) {
      const { serveState } = await import('./serve-state.ts');
      const server = await serveState(spec, app, state, {
        ...httpAccess(context.config),
        ...{ port: request.port, host: request.host, logger },
      });
      defer(() => server.close());
      hooks.serving?.(server.told);
    }
    await loadTables(app, state, request.tables, logger);
    const feeds = await openFeeds(app, state, request, folders, context, defer);
    const { before, after } = await takeEvents(state, feeds, request, context);
    if (signal.aborted && !request.follow) {
      logger.info({ rows: after.rows }, 'stopped before the end of the input: the next run goes on from here');
      return;
    }
    const summary = summaryOf(before, after, performance.now() - startMs);
    if (request.out !== undefined) await app.export?.(state, request.out, request.follow ? undefined : signal);
    await hooks.done?.(state, summary);
    if (request.serve) await untilAborted(signal);
    checkInput(state.streams.stats().feeds, summary, deadFileOf(state.directory, request.dead));
  });
}

/** What no state can change: so nothing is opened for it. */
function checkRequest(spec: ApplicationSpec, request: ReplayRequest): void {
  const { events, tables, follow, final, out, settings } = request;
  const flags = ['--events', ...spec.tables.map((table) => table.flags.split(' ')[0])].join(' or ');
  if (events.length === 0 && tables.size === 0) throw usage(`there is nothing to replay: give ${flags}`);
  if (events.length === 0 && follow) throw usage('--follow waits for events: give --events, or leave --follow out');
  if (follow && final)
    throw usage('--final closes the windows at the end of the input, and --follow has none: give one of them');
  if (out === '') throw usage('--out is empty: give a folder');
  const { zone, from, to } = settings;
  if (from != null && to != null && from >= to)
    throw usage(`--from ${from} is not before --to ${to}: from is included, to is not`);
  if (zone !== undefined) Zone.of(zone);
}

function usage(message: string): StreamsError {
  return new StreamsError('STREAMS_USAGE', `${message}.`);
}

function openInput(
  spec: ApplicationSpec,
  app: Application,
  { state: directory, settings, events }: ReplayRequest,
  folders: readonly FolderInput[],
  { config, logger }: CommandContext,
): Promise<OpenState> {
  const topics = events.length === 0 ? undefined : events.length;
  const input = { settings: { ...settings, topics }, folders, engine: engineOptions(spec, config) };
  return openState(spec, app, { directory, logger, input });
}

async function loadTables(
  app: Application,
  { streams, settings }: OpenState,
  tables: ReplayRequest['tables'],
  logger: Logger,
): Promise<void> {
  for (const [store, directory] of tables) {
    const startMs = performance.now();
    const histories = await app.loadTable!(store, directory, settings);
    const changed = await streams.loadGlobalTable(store, histories);
    const seconds = Math.round(performance.now() - startMs) / 1000;
    logger.info({ store, directory, changed, seconds }, 'loaded a global table');
  }
}

function openFeeds(
  app: Application,
  state: OpenState,
  { follow, verify, dead, late }: ReplayRequest,
  folders: readonly FolderInput[],
  { config, logger }: CommandContext,
  defer: Defer,
): Promise<readonly Feed[]> {
  const onError = config.get('deserialization.exception.handler');
  return openFolderFeeds(app, state, { folders, follow, verify, onError, dead, late, logger }, defer);
}

interface Taken {
  readonly before: ReplayProgress;
  readonly after: ReplayProgress;
}

/** Takes the events to their end, or until the signal, and commits. */
async function takeEvents(
  { streams, settings }: OpenState,
  feeds: readonly Feed[],
  { follow, final }: ReplayRequest,
  { signal, logger, progress }: CommandContext,
): Promise<Taken> {
  const read = (): ReplayProgress => progressOf(streams.stats());
  let before = read();
  let shown: RunningProgress | undefined;
  const forget = streams.onStateChange((state) => {
    if (state !== 'RUNNING') return;
    // Only now do the feeds know what was read before.
    before = read();
    const { filesDone, rows } = before;
    if (rows > 0) logger.info({ filesDone, rows }, 'going on after the last commit');
    if (feeds.length > 0) shown = progress.start(read, { zone: settings.zone });
  });
  try {
    // Told when all is done: checkInput.
    await streams.run(feeds, { signal, follow, final, onRefused: 'continue' });
  } finally {
    shown?.stop();
    forget();
  }
  return { before, after: read() };
}
