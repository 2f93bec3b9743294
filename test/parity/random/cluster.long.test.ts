import { randomBytes } from 'node:crypto';
import test from 'ava';
import { Random } from '../random-input.ts';
import { buildTopology } from './build.ts';
import { runOnCluster } from './cluster-run.ts';
import type { Outcome, RandomCase } from './description.ts';
import { randomCase } from './generate.ts';
import { Model, shownRows } from './model.ts';
import { runCase } from './run-case.ts';

const seed = randomBytes(4).toString('hex');
const cases = Number(process.env['CLUSTER_CASES'] ?? 12);

/** Cases in which each task reads one topic: then the order of its records is that of the topic, whoever runs it when. */
function* ordered(): Generator<RandomCase> {
  for (let i = 0; ; i++) {
    const given = randomCase(`${seed}-${i}`);
    const { topology } = buildTopology(given.nodes);
    const alone = topology.subTopologies.every(({ sources }) => sources.flatMap(({ topics }) => topics).length === 1);
    if (alone && topology.globalTables.length === 0) yield given;
  }
}

test('random topologies on a cluster, with restarts: what is sent and stored is what the test driver says', async (t) => {
  t.timeout(3_000_000);
  let done = 0;
  for (const any of ordered()) {
    if (done++ === cases) break;
    const given = { ...any, nodes: any.nodes.map((node) => ({ ...node, cached: false })) };
    const expected = await runCase(given, 'uncached');
    const found = await runOnCluster(given, new Random(given.seed));
    t.deepEqual(byTopic(found), byTopic(expected), `seed ${given.seed}`);
    t.deepEqual(found.stores, withoutGlobals(expected, given), `seed ${given.seed}`);
  }
});

test('random topologies with caches on a cluster, with restarts: tables hold what is computed', async (t) => {
  t.timeout(3_000_000);
  let done = 0;
  for (const given of ordered()) {
    const expected = new Model(given, (await runCase(given, 'uncached')).stores).stores();
    if (expected.size === 0) continue;
    if (done++ === cases) break;
    const found = await runOnCluster(given, new Random(given.seed));
    for (const [store, rows] of expected)
      t.deepEqual(shownRows(found.stores[store]!), rows, `seed ${given.seed}, ${store}`);
  }
});

function byTopic({ output }: Pick<Outcome, 'output'>): Readonly<Record<string, readonly unknown[]>> {
  const topics: Record<string, unknown[]> = {};
  for (const [topic, ...record] of output) {
    topics[topic] ??= [];
    topics[topic].push(record);
  }
  return topics;
}

function withoutGlobals({ stores }: Outcome, { nodes }: RandomCase): Outcome['stores'] {
  const globals = new Set(nodes.filter(({ op }) => op === 'global').map(({ id }) => `n${id}`));
  return Object.fromEntries(Object.entries(stores).filter(([name]) => !globals.has(name)));
}
