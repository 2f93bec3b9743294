/**
 * The grid's 24 statistics, from the start of the process until everything is committed and it has ended: `weir run`, and Kafka Streams with its DSL by the same plan,
 * in turn on one broker, each into a new state. All 24 results are compared with the true ones.
 */
import { rm } from 'node:fs/promises';
import { loadParkTopic } from '../../topologies/grid/park/park-topic.ts';
import { eventsTopic } from '../../topologies/grid/topology.ts';
import { printConditions } from '../lib/conditions.ts';
import { freshFolder } from '../lib/folders.ts';
import { gridData } from '../lib/grid-data.ts';
import { readOptions } from '../lib/options.ts';
import type { ChildRun } from '../lib/run-child.ts';
import { expectCommitted, forget, freshTopic, openBenchBroker } from './lib/bench-broker.ts';
import { beside, type Contender, inTurn } from './lib/in-turn.ts';
import { buildPeer, buildWeir, runPeer, runWeir } from './lib/measured.ts';
import { expectSameRows } from './lib/same-rows.ts';
import { zone } from './topologies/per-equipment.ts';

const options = readOptions({
  days: 1462,
  runs: 3,
  partitions: 2,
  guarantee: 'exactly_once',
  contenders: 'weir,java',
  instances: 1,
  threads: 2,
  'commit-interval': 0,
  'java-options': '-Xmx512m',
  set: '',
  brokers: '',
});
const { days, runs, partitions, guarantee, instances, threads, set, brokers } = options;
const javaOptions = options['java-options'].split(' ').filter((option) => option !== '');
const commitMs = options['commit-interval'];

const data = await gridData({ days, meters: 25, concentrators: 5 });
await buildWeir();
buildPeer();
const broker = await openBenchBroker(brokers);
try {
  await freshTopic(broker, eventsTopic, partitions);
  await runPeer({ do: 'load', brokers: broker.bootstrap, topic: eventsTopic, events: data.events }, { javaOptions });
  await loadParkTopic(broker.client, { park: data.park, zone });
  printConditions();
  await inTurn(
    options.contenders.split(',').map((name) => contender(name)),
    runs,
  );
} finally {
  await broker.close();
}

function contender(name: string): Contender {
  const title = `${name}, ${guarantee}${name === 'weir' && instances > 1 ? `, ${instances} instances` : ''}`;
  let run = 0;
  return {
    title,
    async run() {
      const applicationId = `all-${name}-${process.pid}-${run++}`;
      const states = await Promise.all(
        Array.from({ length: name === 'weir' ? instances : 1 }, (_, i) => freshFolder(`kafka-state-${i}`)),
      );
      const out = await freshFolder('kafka-out');
      const figures = await beside(broker, title, data.rows, () =>
        name === 'weir' ? weir(applicationId, states) : java('run', applicationId, states[0]!, out),
      );
      await expectCommitted(broker, applicationId, eventsTopic);
      if (name === 'weir') {
        await runWeir(['export', ...states.flatMap((state) => ['--state', state]), '--out', out]);
      } else await java('write', applicationId, states[0]!, out);
      await expectSameRows(out, data.truth);
      await forget(broker, applicationId);
      for (const folder of [...states, out]) await rm(folder, { recursive: true });
      return figures;
    },
  };
}

/** So many instances at once: CPU seconds and memory are those of all. */
async function weir(applicationId: string, states: readonly string[]): Promise<ChildRun> {
  const settings = [`processing.guarantee=${guarantee}`, ...(commitMs > 0 ? [`commit.interval.ms=${commitMs}`] : [])];
  const given = [...settings, ...(set === '' ? [] : set.split(','))].flatMap((setting) => ['--set', setting]);
  const common = ['run', '--brokers', broker.bootstrap, '--application-id', applicationId, '--port', '0', ...given];
  const all = await Promise.all(states.map((state) => runWeir([...common, '--state', state, '--until-caught-up'])));
  return {
    wallSeconds: Math.max(...all.map(({ wallSeconds }) => wallSeconds)),
    cpuSeconds: all.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    peakRssBytes: all.reduce((sum, { peakRssBytes }) => sum + peakRssBytes, 0),
    stdout: '',
  };
}

function java(what: 'run' | 'write', application: string, state: string, out: string): Promise<ChildRun> {
  const commit = commitMs > 0 ? { commit: String(commitMs) } : {};
  const given = { peer: 'all', brokers: broker.bootstrap, application, state, guarantee, threads: String(threads) };
  return runPeer({ do: what, out, ...given, ...commit }, { javaOptions });
}
