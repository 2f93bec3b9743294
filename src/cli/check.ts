import { readdir } from 'node:fs/promises';
import { messageOf, StreamsError } from '../common/errors.ts';
import { Zone } from '../common/time/zone.ts';
import { type CheckedFolder, checkFolder } from '../files/check-folder.ts';
import type { Drop } from '../processor/drop-reason.ts';
import { noHeaders } from '../processor/record.ts';
import { soleTimeOf } from '../runtime/refused-time.ts';
import type { SourceSpec } from '../topology/node-spec.ts';
import { type Application, type ApplicationSpec, type ReplaySettings, topicsOf } from './application.ts';
import { type Checked, type CheckedTable, checkJson, checkText } from './check-report.ts';
import type { CommandContext } from './command-spec.ts';
import { filesFormat, withFormat } from './files-format.ts';
import { rangeOf } from './folder-feeds.ts';
import { folderInputs } from './folder-inputs.ts';
import { settingsOf } from './replay-settings.ts';

/** What is to be checked. */
export interface CheckRequest {
  /** Folders of events. */
  readonly events: readonly string[];
  /** Folders of global tables, by store. */
  readonly tables: ReadonlyMap<string, string>;
  readonly format?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly zone?: string | undefined;
  readonly onError: 'continue' | 'fail';
  readonly sample: boolean;
  readonly json: boolean;
}

/**
 * Writes what a replay would read of folders.
 *
 * @throws {@link StreamsError} `STREAMS_INPUT_REFUSED` - there is something that it would not read; the report is written before.
 */
export async function check(spec: ApplicationSpec, request: CheckRequest, context: CommandContext): Promise<void> {
  const { events, tables, zone, from, to, json, onError } = request;
  refuseUsage(spec, request);
  const given = { zone, from: from ?? null, to: to ?? null, topics: Math.max(1, events.length) };
  const settings = settingsOf(spec, given, undefined, '');
  const app = withFormat(await spec.load(), await filesFormat(request.format));
  const folders = await checkFolders(spec, app, settings, request, context);
  if (context.signal.aborted) return;
  const checkedTables: CheckedTable[] = [];
  for (const [store, directory] of tables) checkedTables.push(await checkTable(app, settings, store, directory));
  const checked: Checked = { folders, tables: checkedTables, zone: settings.zone };
  context.stdout.write(json ? checkJson(checked) : checkText(checked));
  refuseProblems(checked, onError);
}

function refuseUsage(spec: ApplicationSpec, { events, tables, zone, from, to }: CheckRequest): void {
  const flags = ['a folder of events', ...spec.tables.map((table) => table.flags.split(' ')[0])].join(' or ');
  if (events.length === 0 && tables.size === 0)
    throw new StreamsError('STREAMS_USAGE', `there is nothing to check: give ${flags}.`);
  if (from !== undefined && to !== undefined && from >= to)
    throw new StreamsError('STREAMS_USAGE', `--from ${from} is not before --to ${to}: from is included, to is not.`);
  if (zone !== undefined) Zone.of(zone);
}

async function checkFolders(
  spec: ApplicationSpec,
  app: Application,
  settings: ReplaySettings,
  request: CheckRequest,
  { config, signal }: CommandContext,
): Promise<readonly CheckedFolder[]> {
  const { events, sample } = request;
  if (events.length === 0) return [];
  const maxFutureMs = config.get('max.future.ms');
  const { nodes } = app.topology(settings, topicsOf(spec, events.length));
  const checked: CheckedFolder[] = [];
  for (const { topic, directory } of await folderInputs(spec, events, app.format(settings))) {
    const source = nodes.find((node): node is SourceSpec => node.kind === 'source' && node.topics.includes(topic))!;
    const timeOf = (key: unknown, value: unknown, timestamp: number): number | Drop =>
      soleTimeOf(source, { topic, partition: 0, offset: 0, key, value, timestamp, headers: noHeaders }, maxFutureMs);
    const options = { topic, directory, format: app.format(settings), sample, timeOf, signal };
    checked.push(await checkFolder({ ...options, ...rangeOf(settings) }));
  }
  return checked;
}

async function checkTable(
  app: Application,
  settings: ReplaySettings,
  store: string,
  directory: string,
): Promise<CheckedTable> {
  const files: { readonly file: string; readonly rows: number | undefined }[] = [];
  let keys = 0;
  let refused: string | undefined;
  try {
    const told = (file: string, rows: number | undefined): void => void files.push({ file, rows });
    for (const _ of await app.loadTable!(store, directory, settings, told)) keys++;
  } catch (error) {
    if (!StreamsError.is(error)) throw error;
    refused = messageOf(error);
  }
  const names = new Set(files.map(({ file }) => file));
  const there = refused === undefined ? await readdir(directory) : [];
  const leftOut = there.filter((name) => !names.has(name)).sort();
  return { store, directory, files, keys, leftOut, ...(refused !== undefined && { refused }) };
}

function refuseProblems({ folders, tables }: Checked, onError: 'continue' | 'fail'): void {
  const problems: string[] = [];
  for (const { files, directory } of folders)
    for (const { file, refused, rows, dead } of files) {
      if (refused !== undefined) problems.push(`${file}: ${refused}`);
      else if (dead > 0 && (dead === rows || onError === 'fail'))
        problems.push(
          `${file} of ${directory}: ${dead === rows ? 'every row of it' : `${dead} of ${rows} rows`} is bad`,
        );
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
