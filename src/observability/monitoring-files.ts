import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf, StreamsError } from '../common/errors.ts';
import { ownPackage } from '../common/own-package.ts';
import { overwriteOption } from '../common/remedies.ts';

/** How the files are to be. */
export interface MonitoringFilesOptions {
  /** Name of the job under which Prometheus scrapes the application: that of the alerts for instances that are gone, and the one that dashboards start with. @defaultValue 'weir' */
  readonly job?: string;
  /** Address of the runbook, to which dashboards and alerts lead: `#` and the name of the alert follow it. @defaultValue 'docs/runbook.md', which is in the package */
  readonly runbook?: string;
  /** Names of files in `dashboards`. @defaultValue `['engine.json']`, which shows any topology */
  readonly dashboards?: readonly string[];
  /** Whether files that are there with another content are replaced. @defaultValue false: they are refused, and nothing is written */
  readonly overwrite?: boolean;
}

const ownJob = 'weir';
const ownRunbook = 'docs/runbook.md';

/** Files of `dashboards` that `dynamic` has too. */
const dynamicDashboards: readonly string[] = ['engine.json'];

/**
 * Writes what Prometheus and Grafana need to watch an application, as it comes with the package: `prometheus/rules.yml` with the alerts, `dashboards/*.json`, and `provisioning`, with which
 * Grafana finds the dashboards (mounted at `/etc/grafana/dashboards`) and Prometheus (`http://prometheus:9090`). `dynamic/engine.json` is the dashboard of the engine for Grafana 13 and later, which hides rows
 * that the application has no data for: to be imported, or put in the place of the other one.
 *
 * @example
 * ```ts
 * import { writeMonitoringFiles } from 'weir-streams/server';
 *
 * // ['grafana/dashboards/engine.json', 'grafana/prometheus/rules.yml', ...]
 * console.log(await writeMonitoringFiles('grafana', { job: 'meters' }));
 * ```
 * @param directory - Made if it is not there.
 * @returns the paths of the files.
 * @throws StreamsError `STREAMS_USAGE` - the job or the runbook's address has a character that rules cannot hold. `STREAMS_FILE` - a file is there with another content, cannot be
 * written, or does not come with the program, which was bundled.
 */
export async function writeMonitoringFiles(
  directory: string,
  options: MonitoringFilesOptions = {},
): Promise<readonly string[]> {
  const { job = ownJob, runbook = ownRunbook, dashboards = ['engine.json'], overwrite = false } = options;
  checkWord('job', job, /^[\w.:/-]+$/, 'letters, digits and _ . : / -');
  checkWord('runbook', runbook, /^[^\s#"'\\]+$/, 'an address without a blank, a quote or a #');
  const makers: Readonly<Record<string, (text: string) => string>> = {
    ...Object.fromEntries(
      [
        ...dashboards.map((file) => `dashboards/${file}`),
        ...dashboards.filter((file) => dynamicDashboards.includes(file)).map((file) => `dynamic/${file}`),
      ].map((path) => [path, (text: string) => startingWith(job, runbook, text)]),
    ),
    'prometheus/rules.yml': (text) => rulesFor(job, runbook, text),
    'provisioning/dashboards/weir.yml': (text) => text,
    'provisioning/datasources/prometheus.yml': (text) => text,
  };
  const files: [path: string, text: string][] = [];
  for (const [path, make] of Object.entries(makers)) files.push([join(directory, path), make(await shipped(path))]);
  if (!overwrite) await refuseOthers(files);
  for (const [path, text] of files) await written(path, text);
  return files.map(([path]) => path);
}

function checkWord(name: string, value: string, pattern: RegExp, allowed: string): void {
  if (!pattern.test(value))
    throw new StreamsError('STREAMS_USAGE', `${name}: ${JSON.stringify(value)} is not ${allowed}.`);
}

/** A file of the package's folder `grafana`. */
async function shipped(path: string): Promise<string> {
  const found = ownPackage();
  if (found === undefined) {
    throw new StreamsError(
      'STREAMS_FILE',
      `grafana/${path} does not come with a program that was bundled into one file: run this where the package weir-streams is installed.`,
    );
  }
  return readFile(join(found.root, 'grafana', path), 'utf8');
}

interface ClassicDashboard {
  readonly templating: { readonly list: readonly Record<string, unknown>[] };
  readonly links: readonly Record<string, unknown>[];
}

interface DynamicDashboard {
  readonly spec: {
    readonly variables: readonly { readonly spec: Record<string, unknown> }[];
    readonly links: readonly Record<string, unknown>[];
  };
}

/** A dashboard that starts with a job, and leads to a runbook. */
function startingWith(job: string, runbook: string, text: string): string {
  const dashboard = JSON.parse(text) as ClassicDashboard | DynamicDashboard;
  const { links, variables } =
    'spec' in dashboard
      ? { links: dashboard.spec.links, variables: dashboard.spec.variables.map(({ spec }) => spec) }
      : { links: dashboard.links, variables: dashboard.templating.list };
  for (const link of links) if (link['url'] === ownRunbook) link['url'] = runbook;
  for (const variable of variables) if (variable['name'] === 'job') variable['current'] = { text: job, value: job };
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

function rulesFor(job: string, runbook: string, text: string): string {
  return text
    .replaceAll(`job="${ownJob}"`, `job="${job}"`)
    .replaceAll(`job: "${ownJob}"`, `job: "${job}"`)
    .replaceAll(`runbook_url: "${ownRunbook}#`, () => `runbook_url: "${runbook}#`);
}

/** Files are edited where they are: what somebody has changed is not replaced unasked. */
async function refuseOthers(files: readonly (readonly [path: string, text: string])[]): Promise<void> {
  const others: string[] = [];
  for (const [path, text] of files) {
    const there = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT') return text;
      throw new StreamsError('STREAMS_FILE', `${path} cannot be read: ${messageOf(cause)}`, { cause });
    });
    if (there !== text) others.push(path);
  }
  if (others.length === 0) return;
  throw new StreamsError(
    'STREAMS_FILE',
    `${others.join(', ')} ${others.length === 1 ? 'is' : 'are'} there with another content. Nothing was written: take another folder, or ask for them to be overwritten (${overwriteOption}).`,
  );
}

async function written(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  } catch (cause) {
    throw new StreamsError('STREAMS_FILE', `${path} cannot be written: ${messageOf(cause)}`, { cause });
  }
}
