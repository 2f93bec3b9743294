import { type Serde, Windowed } from '../../../src/index.ts';
import type { OutputRecord } from '../../../src/runtime/runtime-nodes.ts';
import { TopologyTestDriver } from '../../../src/testing/topology-test-driver.ts';
import { buildTopology } from './build.ts';
import type { Mode, Outcome, RandomCase, Row } from './description.ts';
import type { Key } from './functions.ts';

/** What we do with a case, in the form of what Kafka Streams does with it. */
export async function runCase(given: RandomCase, mode: Mode): Promise<Outcome> {
  try {
    return await run(given, mode);
  } catch (error) {
    return { output: [], stores: {}, dropped: 0, failed: (error as Error).stack ?? String(error) };
  }
}

async function run({ nodes, input }: RandomCase, mode: Mode): Promise<Outcome> {
  const { topology, outputs } = buildTopology(nodes);
  const driver = await TopologyTestDriver.create(topology, { caching: mode === 'cached' });
  try {
    const output: Row[] = [];
    for (const [topic, key, value, timestamp] of input) {
      await driver.inputTopic(topic).pipeInput(key ?? undefined, value ?? undefined, timestamp);
      if (mode === 'cached') await driver.flush();
      output.push(...sent(driver, outputs));
    }
    return {
      output,
      stores: await storesOf(driver, nodes, input),
      dropped: Object.values(driver.dropped()).reduce((sum, count) => sum + count, 0),
    };
  } finally {
    await driver.close();
  }
}

export function sent(driver: TopologyTestDriver, keySerdes: ReadonlyMap<string, Serde<Key>>): Row[] {
  return driver.readAllOutputs().map((record) => shownRecord(record, keySerdes.get(record.topic)!));
}

/** A record of bytes as a row. */
export function shownRecord(
  { topic, key, value, timestamp }: Omit<OutputRecord, 'headers'>,
  keySerde: Serde<Key>,
): Row {
  return [
    topic,
    key === undefined ? null : shownKey(keySerde.deserialize(key)),
    value === undefined ? null : Buffer.from(value).toString(),
    timestamp,
  ];
}

/** The rows of all stores, by key. */
export async function storesOf(
  driver: TopologyTestDriver,
  nodes: RandomCase['nodes'],
  input: RandomCase['input'],
): Promise<Outcome['stores']> {
  const stores: Record<string, [string, string, number?][]> = {};
  for (const node of nodes) {
    const name = `n${node.id}`;
    if (node.op === 'global') stores[name] = globalRows(driver, name, node.topics![0]!, input);
    else if (
      driver.topology.stores.some((spec) => spec.name === name && spec.kind !== 'versioned') &&
      node.op !== 'suppress'
    )
      stores[name] = (await driver.rows<Key, unknown>(name)).map(({ key, value, timestamp }) =>
        node.op === 'process'
          ? [shownKey(key as Key) as string, String(value)]
          : [shownKey(key as Key) as string, String(value), timestamp],
      );
    stores[name]?.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }
  return stores;
}

function globalRows(
  driver: TopologyTestDriver,
  store: string,
  topic: string,
  input: readonly Row[],
): [string, string, number][] {
  const keys = new Set(input.filter(([of]) => of === topic).map(([, key]) => key));
  return [...keys].flatMap((key): [string, string, number][] => {
    const version = key === null ? undefined : driver.history<string, string>(store, key).at(-1);
    return version?.value === undefined ? [] : [[key!, version.value, version.validFromMs]];
  });
}

export function shownKey(key: Key): string | null {
  if (key instanceof Windowed) return `${key.key}@${key.startMs}/${key.endMs}`;
  return key ?? null;
}
