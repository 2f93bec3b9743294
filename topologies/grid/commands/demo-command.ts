import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { OpenState } from '../../../src/cli/application.ts';
import type { CommandContext, CommandSpec } from '../../../src/cli/command-spec.ts';
import { defineCommand } from '../../../src/cli/command-spec.ts';
import { engineSettings } from '../../../src/cli/engine-settings.ts';
import { accessSettings } from '../../../src/cli/http-access.ts';
import { groupedCount } from '../../../src/cli/progress-text.ts';
import type { ReplayRequest } from '../../../src/cli/replay.ts';
import { accessOptions, hostOption, portOption } from '../../../src/cli/state-options.ts';
import { formatTable } from '../../../src/cli/table.ts';
import { StreamsError, type StreamsErrorCode } from '../../../src/common/errors.ts';
import type { Logger } from '../../../src/common/logger.ts';
import { gridSpec } from '../application-spec.ts';
import { type Counts, eventTypes } from '../statistics/statistic.ts';
import type { DemoFolders } from './demo-data.ts';

const directory = '.data/demo';
/** Where it serves, unless that is taken. */
const firstPort = Number(portOption.default);
/** So many ports are tried, then any is taken. */
const triedPorts = 20;

/** `demo`: what `npm start` runs. */
export const demoCommand: CommandSpec = defineCommand({
  name: 'demo',
  summary: 'generate 90 days, replay them, print results and serve them',
  description:
    `Generates a small data set of 90 days into ${directory}, unless it is there, replays it, prints a table of results, and serves them until SIGINT ` +
    'or SIGTERM. Run again it goes on with what is there.',
  examples: ['weir demo', 'weir demo --port 0'],
  options: [
    {
      ...{ flags: portOption.flags, env: portOption.env, parse: portOption.parse },
      description: `port to serve at; 0 takes any free one (default: ${firstPort}, or the next that is free)`,
    },
    hostOption,
    ...accessOptions,
  ],
  kind: 'continuous',
  commits: true,
  settings: [...engineSettings, ...accessSettings, 'deserialization.exception.handler'],
  async run(context) {
    const { demoData } = await import('./demo-data.ts');
    const folders = await demoData(directory, context);
    try {
      await replayDemo(folders, context, true);
    } catch (error) {
      if (!StreamsError.is(error)) throw error;
      // The results first: they are what it is for.
      if (error.code === 'STREAMS_PORT') await replayDemo(folders, context, false);
      if (!outdated.has(error.code)) throw error;
      context.logger.warn({ state: folders.state, code: error.code }, 'the state is of no more use: it is recreated');
      await rm(folders.state, { recursive: true, force: true });
      await replayDemo(folders, context, true);
    }
  },
});

/** What a state says that another version, or somebody else, has touched. */
const outdated: ReadonlySet<StreamsErrorCode> = new Set([
  'STREAMS_STATE_INCOMPATIBLE',
  'STREAMS_STATE_FINAL',
  'STREAMS_FILE_REWRITTEN',
  'STREAMS_INPUT_REFUSED',
]);

async function replayDemo(
  { events, park, state }: DemoFolders,
  context: CommandContext,
  serve: boolean,
): Promise<void> {
  const [{ replay }, { demoText }] = await Promise.all([
    import('../../../src/cli/replay.ts'),
    import('./demo-data.ts'),
  ]);
  const { options, stdout } = context;
  const request: ReplayRequest = {
    events: [events],
    tables: new Map(gridSpec.tables.map(({ store }) => [store, park])),
    state,
    settings: {},
    follow: false,
    serve,
    final: false,
    verify: false,
    rebuild: [],
    port: (options.port as number | undefined) ?? (serve ? await freePort(options.host as string) : 0),
    host: options.host as string,
  };
  let address = '';
  await replay(
    gridSpec,
    request,
    { ...context, logger: quiet(context.logger) },
    {
      serving(url) {
        address = url;
      },
      async done(opened) {
        stdout.write(`\n${demoText(sumOfFeeds(opened), state)}`);
        stdout.write(await resultsOf(opened));
        if (serve) stdout.write(`\nserving ${address} until Ctrl-C\n`);
        await stdout.flush();
      },
    },
  );
}

/** The first port that nobody has. */
async function freePort(host: string): Promise<number> {
  for (let port = firstPort; port < firstPort + triedPorts; port++) if (await isFree(port, host)) return port;
  return 0;
}

function isFree(port: number, host: string): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}

function sumOfFeeds({ streams }: OpenState): { rows: number; dead: number; late: number } {
  const sum = { rows: 0, dead: 0, late: 0 };
  for (const { rows, dead, late } of streams.stats().feeds) {
    sum.rows += rows;
    sum.dead += dead;
    sum.late += late;
  }
  return sum;
}

/** A logger whose news is not for somebody who looks at a demonstration. */
function quiet(logger: Logger): Logger {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.debug(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
  };
}

/** Events by month, and those of the largest regions. */
async function resultsOf(state: OpenState): Promise<string> {
  const [{ queryStatistics }, { statisticSource }] = await Promise.all([
    import('../statistics/query-statistics.ts'),
    import('../application.ts'),
  ]);
  const source = statisticSource(state);
  const months = new Groups();
  for await (const row of queryStatistics(source, { period: 'month', grouping: 'type' })) {
    months.add(row.window_start.slice(0, 7), row.type_evt, row.n);
  }
  const regions = new Groups();
  for await (const row of queryStatistics(source, { period: 'year', grouping: 'region' })) {
    regions.add(row.key, row.type_evt, row.n);
  }
  const shown = 6;
  return `\nEvents by month\n${months.table('month')}\nEvents by region, the ${shown} with most\n${regions.largest(shown).table('region')}`;
}

/** Counts by a key, as a table. */
class Groups {
  readonly #counts = new Map<string, Counts>();

  add(key: string, type: keyof Counts, n: number): void {
    const counts = this.#counts.get(key) ?? { ev_C: 0, ev_K: 0, ev_N: 0 };
    counts[type] += n;
    this.#counts.set(key, counts);
  }

  /** Those with most events. */
  largest(count: number): Groups {
    const found = new Groups();
    const all = [...this.#counts].sort(([, a], [, b]) => sumOf(b) - sumOf(a));
    for (const [key, counts] of all.slice(0, count)) found.#counts.set(key, counts);
    return found;
  }

  table(title: string): string {
    const rows = [...this.#counts].map(([key, counts]) => [
      key,
      ...eventTypes.map((type) => groupedCount(counts[type])),
      groupedCount(sumOf(counts)),
    ]);
    const numbers = [...eventTypes, 'all'].map((column) => ({ title: column, align: 'right' as const }));
    return formatTable([title, ...numbers], rows);
  }
}

function sumOf(counts: Counts): number {
  return eventTypes.reduce((sum, type) => sum + counts[type], 0);
}
