import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { installLine } from '../../src/common/optional-packages.ts';
import { gridNeed } from '../../topologies/grid/packages.ts';

const run = promisify(execFile);
const root = new URL('../../', import.meta.url);
const install = ['install', '--no-audit', '--no-fund', '--prefer-offline'];

/** An empty project with the package as npm packs it, and nothing else. */
async function project(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-package-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], {
    cwd: root,
  });
  await writeFile(join(folder, 'package.json'), '{ "name": "project", "private": true }');
  await run('npm', [...install, `./${stdout.trim()}`], { cwd: folder });
  return folder;
}

/** What a program prints. */
async function printed(folder: string, name: string, program: string): Promise<string> {
  await writeFile(join(folder, name), program);
  const { stdout } = await run(process.execPath, [name], { cwd: folder });
  return stdout;
}

/** Bytes that a folder takes on the disk. */
async function onDisk(folder: string): Promise<number> {
  const { stdout } = await run('du', ['-sk', folder]);
  return Number.parseInt(stdout, 10) * 1024;
}

/** Folders below node_modules that are packages. */
async function packagesOf(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.'));
  const scopes = names.filter((name) => name.startsWith('@'));
  const scoped = await Promise.all(
    scopes.map(async (scope) => (await readdir(join(folder, scope))).map((name) => `${scope}/${name}`)),
  );
  return [...names.filter((name) => !name.startsWith('@')), ...scoped.flat()];
}

test.serial('the library is installed small, and says what each part needs besides', async (t) => {
  const folder = await project(t);
  const modules = join(folder, 'node_modules');
  const packages = await packagesOf(modules);
  t.true(packages.length <= 25, packages.join(' '));
  t.true((await onDisk(modules)) < 15e6, String(await onDisk(modules)));

  const all = "const names = ['weir-streams', 'weir-streams/server', 'weir-streams/testing', 'weir-streams/cli'];";
  const count = 'console.log(names.length, found.every((each) => Object.keys(each).length > 0));';
  const esm = `${all} const found = await Promise.all(names.map((name) => import(name))); ${count}`;
  t.is(await printed(folder, 'all.mjs', esm), '4 true\n');
  t.is(
    await printed(folder, 'all.cjs', `${all} const found = names.map((name) => require(name)); ${count}`),
    '4 true\n',
  );

  const used = await printed(
    folder,
    'used.mjs',
    `import { EmbeddedStreams, KafkaStreams, Serdes, StreamsBuilder } from 'weir-streams';
import { serve } from 'weir-streams/server';
const builder = new StreamsBuilder();
builder.stream('words', { keySerde: Serdes.string, valueSerde: Serdes.string }).groupByKey().count({ name: 'counts' });
const topology = builder.build();
try { new KafkaStreams(topology, { applicationId: 'words', bootstrapServers: ['localhost:9092'] }); } catch (error) { console.log(error.code, error.message); }
const streams = await EmbeddedStreams.open(topology, { stateDir: 'state' });
try { await serve(streams, { port: 0 }); } catch (error) { console.log(error.code, error.message); }
await streams.close();`,
  );
  t.regex(used, /^STREAMS_CONFIG Kafka needs .*: npm install kafkajs@2$/m);
  t.regex(used, /^STREAMS_CONFIG HTTP with metrics needs .*: npm install hono@4 @hono\/node-server@2 prom-client@15$/m);

  const failed = await t.throwsAsync(run('npx', ['--no-install', 'weir', 'demo'], { cwd: folder }));
  t.true((failed as unknown as { stderr: string }).stderr.includes(installLine(gridNeed.packages)));

  await run('npm', [...install, ...installLine(gridNeed.packages).split(' ').slice(2)], { cwd: folder });
  const generated = [
    'generate',
    '--out',
    'data',
    '--from',
    '2018-01-01',
    '--days',
    '2',
    '--meters',
    '9',
    '--concentrators',
    '2',
    '--seed',
    '1',
  ];
  await run('npx', ['--no-install', 'weir', ...generated], { cwd: folder });
  await run('npx', ['--no-install', 'weir', 'replay', '--events', 'data/events', '--park', 'data/park'], {
    cwd: folder,
  });
  const { stdout } = await run('npx', ['--no-install', 'weir', 'query', 'day', 'type'], { cwd: folder });
  t.true(stdout.split('\n').length > 2);
});

for (const [file, kind] of [
  ['main.mts', 'a module'],
  ['main.cts', 'CommonJS'],
] as const)
  test.serial(`the types are sound for ${kind}, all checked, without those of Node or the DOM`, async (t) => {
    const folder = await project(t);
    t.false((await packagesOf(join(folder, 'node_modules'))).includes('@types/node'));
    await writeFile(
      join(folder, file),
      `import { EmbeddedStreams, KafkaStreams, Serdes, StreamsBuilder, type Serde } from 'weir-streams';
import { serve } from 'weir-streams/server';
import { TopologyTestDriver } from 'weir-streams/testing';
import { runCli } from 'weir-streams/cli';
const text: Serde<string> = Serdes.string;
new StreamsBuilder().stream('words', { keySerde: text, valueSerde: text }).groupByKey().count({ name: 'counts' });
export const all = [EmbeddedStreams, KafkaStreams, serve, TopologyTestDriver, runCli];
`,
    );
    const compilerOptions = {
      noEmit: true,
      strict: true,
      skipLibCheck: false,
      types: [],
      lib: ['es2022'],
      target: 'es2022',
      module: 'nodenext',
    };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [file] }));
    const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
    const { stdout } = await run(process.execPath, [tsc, '-p', '.'], { cwd: folder }).catch(
      (error) => error as { stdout: string },
    );
    t.is(stdout, '');
  });
