import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf, StreamsError } from '../common/errors.ts';
import { silentLogger } from '../common/logger.ts';
import { forCommands } from '../common/remedies.ts';
import { Zone } from '../common/time/zone.ts';
import { type CheckedFolder, type CheckOptions, checkFolder, FolderCheck } from '../files/check-folder.ts';
import { noHeaders } from '../processor/record.ts';
import { EmbeddedStreams } from '../runtime/embedded-streams.ts';
import type { Feed } from '../runtime/feed.ts';
import { soleTimeOf } from '../runtime/refused-time.ts';
import type { SourceSpec } from '../topology/node-spec.ts';
import type { Topology } from '../topology/topology.ts';
import {
  type Application,
  type ApplicationSpec,
  type Histories,
  type ReplaySettings,
  topicsOf,
} from './application.ts';
import { type Checked, type CheckedTable, checkJson, checkText } from './check-report.ts';
import { countStores } from './check-stores.ts';
import type { CommandContext } from './command-spec.ts';
import { filesFormat, withFormat } from './files-format.ts';
import { partitionFeeds, rangeOf } from './folder-feeds.ts';
import { folderInputs } from './folder-inputs.ts';
import { type GivenSettings, savedForm, settingsOf } from './replay-settings.ts';
import { withCleanup } from './with-cleanup.ts';

type Handler = 'continue' | 'fail';

/** What is to be checked. */
export interface CheckRequest {
  /** Folders of events. */
  readonly events: readonly string[];
  /** Folders of global tables, by store. */
  readonly tables: ReadonlyMap<string, string>;
  readonly settings: Omit<GivenSettings, 'topics'>;
  readonly format?: string | undefined;
  readonly onError: Handler;
  readonly sample: boolean;
  readonly json: boolean;
}

/**
 * Writes what a replay would read of folders, and what it would make of it.
 *
 * @throws {@link StreamsError} `STREAMS_INPUT_REFUSED` - there is something that it would not read; the report is written before.
 */
export async function check(spec: ApplicationSpec, request: CheckRequest, context: CommandContext): Promise<void> {
  const { events, tables, json, onError } = request;
  refuseUsage(spec, request);
  const settings = settingsOf(spec, { ...request.settings, topics: Math.max(1, events.length) }, undefined, '');
  const app = withFormat(await spec.load(), await filesFormat(request.format));
  const loaded = new Map<string, Histories>();
  const checkedTables: CheckedTable[] = [];
  for (const [store, directory] of tables)
    checkedTables.push(await checkTable(app, settings, store, directory, (histories) => loaded.set(store, histories)));
  const { folders, stores } = await checkFolders(spec, app, settings, request, loaded, context);
  if (context.signal.aborted) return;
  const checked: Checked = { folders, tables: checkedTables, ...(stores && { stores }), ...settings };
  context.stdout.write(forCommands(json ? checkJson(checked) : checkText(checked)));
  refuseProblems(checked, onError, context.config.get('processing.exception.handler'));
}

function refuseUsage(spec: ApplicationSpec, { events, tables, settings, sample }: CheckRequest): void {
  const { from, to, zone, graceMs, partitions } = settings;
  const idle = graceMs !== undefined ? '--grace' : partitions !== undefined ? '--partitions' : undefined;
  if (sample && idle !== undefined)
    throw new StreamsError(
      'STREAMS_USAGE',
      `${idle} does nothing with --sample, which does not tell what would be late.`,
    );
  const flags = ['a folder of events', ...spec.tables.map((table) => table.flags.split(' ')[0])].join(' or ');
  if (events.length === 0 && tables.size === 0)
    throw new StreamsError('STREAMS_USAGE', `there is nothing to check: give ${flags}.`);
  if (from != null && to != null && from >= to)
    throw new StreamsError('STREAMS_USAGE', `--from ${from} is not before --to ${to}: from is included, to is not.`);
  if (zone !== undefined) Zone.of(zone);
}

/** What was found, without `stores` where a sample cannot tell. */
type Found = Pick<Checked, 'folders' | 'stores'>;

async function checkFolders(
  spec: ApplicationSpec,
  app: Application,
  settings: ReplaySettings,
  request: CheckRequest,
  tables: ReadonlyMap<string, Histories>,
  context: CommandContext,
): Promise<Found> {
  const { events, sample } = request;
  const { signal } = context;
  if (events.length === 0) return { folders: [] };
  const topology = app.topology(settings, topicsOf(spec, events.length));
  const timeOf = timesOf(topology, context.config.get('max.future.ms'));
  const options: CheckOptions<unknown, unknown>[] = [];
  for (const { topic, directory } of await folderInputs(spec, events, app.format(settings))) {
    const how = { format: app.format(settings), sample, zone: settings.zone, timeOf: timeOf(topic), signal };
    options.push({ topic, directory, ...how, ...rangeOf(settings) });
  }
  if (!sample) return trialRun(spec, topology, settings, options, tables, context);
  const folders: CheckedFolder[] = [];
  for (const each of options) folders.push(await checkFolder(each));
  return { folders };
}

/** What the sources of topics take as the time of a record. */
function timesOf(
  { nodes }: Topology,
  maxFutureMs: number,
): (topic: string) => NonNullable<CheckOptions<unknown, unknown>['timeOf']> {
  return (topic) => {
    const source = nodes.find((node): node is SourceSpec => node.kind === 'source' && node.topics.includes(topic))!;
    return (key, value, timestamp) =>
      soleTimeOf(source, { topic, partition: 0, offset: 0, key, value, timestamp, headers: noHeaders }, maxFutureMs);
  };
}

/** Takes the folders into a state that is thrown away: so late rows, and the rows of stores, are those of a replay. */
async function trialRun(
  spec: ApplicationSpec,
  topology: Topology,
  settings: ReplaySettings,
  options: readonly CheckOptions<unknown, unknown>[],
  tables: ReadonlyMap<string, Histories>,
  { config, signal }: CommandContext,
): Promise<Found> {
  return withCleanup(async (defer) => {
    const stateDir = await mkdtemp(join(tmpdir(), `${spec.name}-check-`));
    defer(() => rm(stateDir, { recursive: true, force: true }));
    const { partitions } = settings;
    const streams = await EmbeddedStreams.open(topology, {
      ...{ stateDir, partitions, settings: savedForm(settings), syncWrites: false, output: () => {} },
      maxFutureMs: config.get('max.future.ms'),
      statestoreCacheMaxBytes: config.get('statestore.cache.max.bytes'),
      // Told as bad rows.
      processingExceptionHandler: () => 'continue',
      logger: silentLogger,
    });
    defer(() => streams.close());
    for (const [store, histories] of tables) await streams.loadGlobalTable(store, histories);
    const checks: FolderCheck<unknown, unknown>[] = [];
    const feeds: Feed[] = [];
    for (const each of options) {
      const check = await FolderCheck.of(each);
      checks.push(check);
      feeds.push(...partitionFeeds(topology, each.topic, settings, options.length, (wanted) => check.feed(wanted)));
    }
    await streams.run(feeds, { signal, onRefused: 'continue' });
    const folders = checks.map((check) => check.result());
    return { folders, stores: await countStores(streams) };
  });
}

async function checkTable(
  app: Application,
  settings: ReplaySettings,
  store: string,
  directory: string,
  loaded: (histories: Histories) => void,
): Promise<CheckedTable> {
  const files: { readonly file: string; readonly rows: number | undefined }[] = [];
  let keys = 0;
  let refused: string | undefined;
  try {
    const told = (file: string, rows: number | undefined): void => void files.push({ file, rows });
    const histories = [...(await app.loadTable!(store, directory, settings, told))];
    keys = histories.length;
    loaded(histories);
  } catch (error) {
    if (!StreamsError.is(error)) throw error;
    refused = messageOf(error);
  }
  const names = new Set(files.map(({ file }) => file));
  const there = refused === undefined ? await readdir(directory) : [];
  const leftOut = there.filter((name) => !names.has(name)).sort();
  return { store, directory, files, keys, leftOut, ...(refused !== undefined && { refused }) };
}

function badText(dead: number, rows: number): string {
  if (dead === rows) return rows === 1 ? 'its only row is bad' : `all ${rows} rows are bad`;
  return `${dead} of ${rows} rows ${dead === 1 ? 'is' : 'are'} bad`;
}

function refuseProblems({ folders, tables }: Checked, onError: Handler, onFailure: Handler): void {
  const problems: string[] = [];
  for (const { files, directory } of folders)
    for (const { file, refused, rows, dead, bad } of files) {
      const [first] = [...bad].sort((a, b) => a.lines[0]! - b.lines[0]!);
      const failed = bad.find(({ reason }) => reason === 'processing');
      if (refused !== undefined) problems.push(`${file}: ${refused}`);
      else if (dead > 0 && (dead === rows || onError === 'fail'))
        problems.push(
          `${file} of ${directory}: ${badText(dead, rows)}, first line ${first?.lines[0]}: ${first?.message}`,
        );
      else if (failed !== undefined && onFailure === 'fail')
        problems.push(`${file} of ${directory}: a replay would stop at line ${failed.lines[0]}, ${failed.message}`);
    }
  for (const { refused } of tables) if (refused !== undefined) problems.push(refused);
  if (problems.length === 0) return;
  const more = problems.length > 10 ? `; and ${problems.length - 10} more` : '';
  throw new StreamsError(
    'STREAMS_INPUT_REFUSED',
    `not all would be read. ${problems
      .slice(0, 10)
      .join('; ')
      .replace(/[^.?]$/, '$&.')}${more} Correct what is wrong, and check again.`,
  );
}
