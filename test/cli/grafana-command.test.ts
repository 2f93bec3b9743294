import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { parse } from 'yaml';
import { dynamicDashboards } from '../../grafana/dashboards.ts';
import type { DynamicDashboard } from '../../grafana/dynamic.ts';
import { grafanaCommand } from '../../src/cli/grafana-command.ts';
import { writeMonitoringFiles } from '../../src/server.ts';
import { run } from './fixtures/run.ts';

const shipped = new URL('../../grafana/', import.meta.url);
const command = grafanaCommand('grid', ['engine.json', 'grid.json']);

async function folder(t: ExecutionContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'weir-grafana-'));
  t.teardown(() => rm(made, { recursive: true, force: true }));
  return join(made, 'out');
}

async function filesIn(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => relative(directory, join(entry.parentPath, entry.name))).sort();
}

test('dashboards, alerts and provisioning are written as they come with the package, and named', async (t) => {
  const out = await folder(t);
  const { code, stdout } = await run([command], `grafana --out ${out}`);
  t.is(code, 0);
  const files = await filesIn(out);
  t.deepEqual(files, [
    'dashboards/engine.json',
    'dashboards/grid.json',
    'dynamic/engine.json',
    'prometheus/rules.yml',
    'provisioning/dashboards/weir.yml',
    'provisioning/datasources/prometheus.yml',
  ]);
  for (const file of files) {
    t.is(await readFile(join(out, file), 'utf8'), await readFile(new URL(file, shipped), 'utf8'), file);
  }
  t.deepEqual(
    stdout.trimEnd().split('\n').sort(),
    files.map((file) => join(out, file)),
  );
});

test('a program with a topology of its own gets the dashboard of the engine, and no other', async (t) => {
  const out = await folder(t);
  const files = await writeMonitoringFiles(out);
  t.deepEqual(await filesIn(join(out, 'dashboards')), ['engine.json']);
  t.deepEqual(await filesIn(join(out, 'dynamic')), ['engine.json']);
  t.deepEqual(files.map((path) => relative(out, path)).sort(), await filesIn(out));
});

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly alert: string;
      readonly expr: string;
      readonly labels: Readonly<Record<string, unknown>>;
      readonly annotations: Readonly<Record<string, string>>;
    }[];
  }[];
}

test('the job and the address of the runbook are those that were asked for', async (t) => {
  const out = await folder(t);
  const runbook = 'https://wiki.example.org/weir?page=runbook&x=1';
  await writeMonitoringFiles(out, { job: '2024', runbook });
  const { groups } = parse(await readFile(join(out, 'prometheus/rules.yml'), 'utf8')) as Rules;
  const rules = groups.flatMap((group) => group.rules);
  t.true(rules.some(({ expr }) => expr.includes('job="2024"')));
  for (const { alert, expr, labels, annotations } of rules) {
    t.false(expr.includes('job="weir"'), alert);
    t.true(labels['job'] === undefined || labels['job'] === '2024', alert);
    t.is(annotations['runbook_url'], `${runbook}#${alert.toLowerCase()}`);
  }
  const { templating, links } = JSON.parse(await readFile(join(out, 'dashboards/engine.json'), 'utf8')) as {
    readonly links: readonly { readonly title: string; readonly url?: string }[];
    readonly templating: { readonly list: readonly { readonly name: string; readonly current: object }[] };
  };
  t.deepEqual(templating.list.find(({ name }) => name === 'job')!.current, { text: '2024', value: '2024' });
  t.is(links.find(({ title }) => title === 'Runbook')!.url, runbook);
  const { spec } = JSON.parse(await readFile(join(out, 'dynamic/engine.json'), 'utf8')) as DynamicDashboard;
  t.deepEqual(spec.variables.find((variable) => variable.spec.name === 'job')!.spec, {
    ...dynamicDashboards['engine.json']!.spec.variables.find((variable) => variable.spec.name === 'job')!.spec,
    current: { text: '2024', value: '2024' },
  });
  t.is(spec.links.find(({ title }) => title === 'Runbook')!.url, runbook);
});

test('a job or an address that rules cannot hold is refused with 2', async (t) => {
  const out = await folder(t);
  await t.throwsAsync(writeMonitoringFiles(out, { job: 'a"b' }), { code: 'STREAMS_USAGE', message: /job/ });
  const { code, stderr } = await run([command], `grafana --out ${out} --runbook docs/a.md#b`);
  t.is(code, 2);
  t.regex(stderr, /runbook/);
});

test('what somebody has changed is kept unless it is to be overwritten, and then nothing is written at all', async (t) => {
  const out = await folder(t);
  await writeMonitoringFiles(out);
  const rules = join(out, 'prometheus/rules.yml');
  await writeFile(rules, 'groups: []\n');
  await rm(join(out, 'dashboards/engine.json'));
  const { code, stderr } = await run([command], `grafana --out ${out}`);
  t.is(code, 1);
  t.true(stderr.includes(rules), stderr);
  t.is(await readFile(rules, 'utf8'), 'groups: []\n');
  t.false((await filesIn(out)).includes('dashboards/engine.json'));
  t.is((await run([command], `grafana --out ${out} --overwrite`)).code, 0);
  t.is(await readFile(rules, 'utf8'), await readFile(new URL('prometheus/rules.yml', shipped), 'utf8'));
  t.is((await run([command], `grafana --out ${out}`)).code, 0, 'the same again is no difference');
});

test('a folder that cannot be written is an error that names the file', async (t) => {
  const out = await folder(t);
  await writeFile(out, 'a file');
  const error = await t.throwsAsync(writeMonitoringFiles(out, { overwrite: true }), { code: 'STREAMS_FILE' });
  t.true(error.message.includes(out));
});
