/**
 * Counts by equipment and type in four windows, from the start of the process until everything is committed and it has ended: weir, and Kafka Streams with
 * its DSL and with its Processor API, in turn on one broker, each into a new state. Each result is compared with the true one.
 */
import { changelogParts } from '../../src/runtime/kafka/changelog-parts.ts';
import { readOnlyStore } from '../../src/runtime/parts/read-only-store.ts';
import { exportStatistics, fileNameOf } from '../../topologies/grid/statistics/export-statistics.ts';
import { periods } from '../../topologies/grid/statistics/statistic.ts';
import type { StatisticStore } from '../../topologies/grid/statistics/statistic-stores.ts';
import { eventsTopic } from '../../topologies/grid/topology.ts';
import { printConditions } from '../lib/conditions.ts';
import { freshFolder } from '../lib/folders.ts';
import { gridData } from '../lib/grid-data.ts';
import { meterDays } from '../lib/meter-days.ts';
import { readOptions } from '../lib/options.ts';
import { expectCommitted, forget, freshTopic, openBenchBroker } from './lib/bench-broker.ts';
import { beside, type Contender, inTurn } from './lib/in-turn.ts';
import { buildPeer, buildWeir, runPeer, runProgram } from './lib/measured.ts';
import { expectSameRows } from './lib/same-rows.ts';
import { type PerEquipmentPlan, perEquipment, zone } from './topologies/per-equipment.ts';

const options = readOptions({
  days: 1462,
  meters: 25,
  runs: 3,
  partitions: 2,
  guarantee: 'at_least_once,exactly_once',
  contenders: 'weir,weir-four-counts,dsl,processor',
  threads: 2,
  'commit-interval': 0,
  'java-options': '-Xmx512m',
  brokers: '',
});
const { days, meters, runs, partitions, threads, brokers } = options;
const commitMs = options['commit-interval'];
const javaOptions = options['java-options'].split(' ').filter((option) => option !== '');
const files = periods.map((period) => fileNameOf(period, 'equipment'));

// A few meters with many events a day, or many with one each.
const data = meters <= 25 ? await gridData({ days, meters, concentrators: 5 }) : await meterDays(meters, days);
await buildWeir();
buildPeer();
const broker = await openBenchBroker(brokers);
try {
  await freshTopic(broker, eventsTopic, partitions);
  await runPeer({ do: 'load', brokers: broker.bootstrap, topic: eventsTopic, events: data.events }, { javaOptions });
  printConditions();
  const contenders = options.guarantee
    .split(',')
    .flatMap((guarantee) => options.contenders.split(',').map((name) => contender(name, guarantee)));
  await inTurn(contenders, runs);
} finally {
  await broker.close();
}

function contender(name: string, guarantee: string): Contender {
  const title = `${name}, ${guarantee}`;
  let run = 0;
  return {
    title,
    async run() {
      const applicationId = `per-equipment-${name}-${guarantee}-${process.pid}-${run++}`.replaceAll('_', '-');
      const state = await freshFolder('kafka-state');
      const out = await freshFolder('kafka-out');
      const isWeir = name.startsWith('weir');
      const plan = name === 'weir' ? 'roll-ups' : 'four-counts';
      const figures = await beside(broker, title, data.rows, () =>
        isWeir ? weir(applicationId, state, plan, guarantee) : java('run', name, applicationId, state, guarantee, out),
      );
      await expectCommitted(broker, applicationId, eventsTopic);
      if (isWeir) await writeCommitted(applicationId, plan, out);
      else await java('write', name, applicationId, state, guarantee, out);
      await expectSameRows(out, data.truth, files);
      await forget(broker, applicationId);
      await Promise.all(['kafka-state', 'kafka-out'].map(freshFolder));
      return figures;
    },
  };
}

function weir(
  applicationId: string,
  state: string,
  plan: PerEquipmentPlan,
  guarantee: string,
): ReturnType<typeof runProgram> {
  const args = [broker.bootstrap, applicationId, state, plan, guarantee, String(commitMs), String(data.rows)];
  return runProgram('run-per-equipment', args);
}

function java(
  what: 'run' | 'write',
  peer: string,
  application: string,
  state: string,
  guarantee: string,
  out: string,
): ReturnType<typeof runPeer> {
  const commit = commitMs > 0 ? { commit: String(commitMs) } : {};
  const common = { brokers: broker.bootstrap, application, state, guarantee, threads: String(threads), ...commit };
  return runPeer({ do: what, peer, records: String(data.rows), out, ...common }, { javaOptions });
}

/** What weir has committed, as its changelogs have it. */
async function writeCommitted(applicationId: string, plan: PerEquipmentPlan, out: string): Promise<void> {
  const parts = new Map<string, StatisticStore>();
  for (const spec of perEquipment(plan).stores)
    parts.set(
      spec.name,
      readOnlyStore(spec, await changelogParts(broker.client, applicationId, spec)) as StatisticStore,
    );
  await exportStatistics((name) => parts.get(name)!, out, zone, { groupings: ['equipment'] });
}
