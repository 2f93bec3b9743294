import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { installLine } from '../../src/common/optional-packages.ts';
import { gridNeed } from '../../topologies/grid/packages.ts';
import { PackedProject } from './helpers/packed-project.ts';

const run = promisify(execFile);

test.serial('the library says what each part needs besides', async (t) => {
  const project = await PackedProject.create(t);
  const all = "const names = ['weir-streams', 'weir-streams/server', 'weir-streams/testing', 'weir-streams/cli'];";
  const count = 'console.log(names.length, found.every((each) => Object.keys(each).length > 0));';
  const esm = `${all} const found = await Promise.all(names.map((name) => import(name))); ${count}`;
  t.is(await project.printed('all.mjs', esm), '4 true\n');
  t.is(
    await project.printed('all.cjs', `${all} const found = names.map((name) => require(name)); ${count}`),
    '4 true\n',
  );

  const used = await project.printed(
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

  const failed = await t.throwsAsync(project.run('npx', ['--no-install', 'weir', 'demo']));
  t.true((failed as unknown as { stderr: string }).stderr.includes(installLine(gridNeed.packages)));

  await project.install(installLine(gridNeed.packages).split(' ').slice(2));
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
  const weir = (...words: readonly string[]): Promise<string> => project.run('npx', ['--no-install', 'weir', ...words]);
  await weir(...generated);
  await weir('replay', '--events', 'data/events', '--park', 'data/park');
  t.true((await weir('query', 'day', 'type')).split('\n').length > 2);
});

for (const [file, kind] of [
  ['main.mts', 'a module'],
  ['main.cts', 'CommonJS'],
] as const)
  test.serial(`the types are sound for ${kind}, all checked, without those of Node or the DOM`, async (t) => {
    const project = await PackedProject.create(t);
    const { folder } = project;
    t.false((await project.packages()).includes('@types/node'));
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
