import { type Serde, Windowed } from '../../src/index.ts';
import { TopologyTestDriver } from '../../src/testing/topology-test-driver.ts';
import type { ParityExpected, ParityOutput, ParityRow, ParityScenario } from './load-scenarios.ts';
import { aggregateTopologies } from './topologies/aggregate-topologies.ts';
import { joinTopologies } from './topologies/join-topologies.ts';
import { processorTopologies } from './topologies/processor-topologies.ts';
import { sharingTopologies } from './topologies/sharing-topologies.ts';
import { statelessTopologies } from './topologies/stateless-topologies.ts';
import { tableTopologies } from './topologies/table-topologies.ts';
import { windowTopologies } from './topologies/window-topologies.ts';
import { windowedKeyTopologies } from './topologies/windowed-key-topologies.ts';
import { type Topology, Wiring } from './wiring.ts';

const topologies: { readonly [name: string]: Topology } = {
  ...statelessTopologies,
  ...aggregateTopologies,
  ...windowTopologies,
  ...windowedKeyTopologies,
  ...tableTopologies,
  ...joinTopologies,
  ...sharingTopologies,
  ...processorTopologies,
};

/** The names of the topologies that can be wired. */
export const topologyNames: readonly string[] = Object.keys(topologies);

/**
 * What we do with a scenario, in the form of what Kafka Streams does with it.
 *
 * @param like - What Kafka Streams does: says which stores to list, and which of them have no timestamps.
 */
export async function runScenario(
  scenario: ParityScenario,
  like: ParityExpected,
  options: { readonly cached: boolean },
): Promise<ParityExpected> {
  const wiring = new Wiring(scenario.params);
  topologies[scenario.topology]!(wiring);
  const driver = await TopologyTestDriver.create(wiring.builder.build(), { caching: options.cached });
  const output: ParityOutput[] = [];
  for (const { topic, key, value, timestamp } of scenario.input) {
    const windowed = wiring.windowedInputs.get(topic);
    const spelt = key === null || windowed === undefined ? (key ?? undefined) : windowed(key);
    await driver.inputTopic(topic).pipeInput(spelt, value ?? undefined, timestamp);
    if (options.cached) await driver.flush();
    output.push(...outputs(driver, wiring.outputKeys));
  }
  const stores: Record<string, readonly ParityRow[]> = {};
  for (const [name, rows] of Object.entries(like.stores)) stores[name] = await rowsOf(driver, scenario, name, rows);
  const dropped = Object.values(driver.dropped()).reduce((sum, count) => sum + count, 0);
  await driver.close();
  return { scenario: scenario.name, dropped, output, stores };
}

function outputs(driver: TopologyTestDriver, keySerdes: ReadonlyMap<string, Serde<unknown>>): ParityOutput[] {
  return driver.readAllOutputs().map(({ topic, key, value, timestamp }) => ({
    topic,
    ...keyFields(key === undefined ? null : keySerdes.get(topic)!.deserialize(key)),
    value: value === undefined ? null : Buffer.from(value).toString(),
    timestamp,
  }));
}

async function rowsOf(
  driver: TopologyTestDriver,
  scenario: ParityScenario,
  store: string,
  like: readonly ParityRow[],
): Promise<readonly ParityRow[]> {
  const rows = driver.topology.globalTables.some((table) => table.store.name === store)
    ? globalRows(driver, scenario, store)
    : (await driver.rows(store)).map(({ key, value, timestamp }) => ({
        ...(keyFields(key) as { key: string }),
        value: String(value),
        timestamp,
      }));
  const untimed = like.length > 0 && like.every((row) => row.timestamp === undefined);
  return rows.map(({ timestamp, ...row }) => (untimed ? row : { ...row, timestamp })).sort(byKeyAndWindow);
}

/** The latest version of each key of a global table: it is asked for every key of its topic. */
function globalRows(driver: TopologyTestDriver, scenario: ParityScenario, store: string): Required<Plain>[] {
  const keys = new Set(scenario.input.filter(({ topic }) => topic === store).map(({ key }) => key));
  return [...keys].flatMap((key) => {
    const version = key === null ? undefined : driver.history<string, string>(store, key).at(-1);
    return version?.value === undefined
      ? []
      : [{ key: key as string, value: version.value, timestamp: version.validFromMs }];
  });
}

type Plain = Pick<ParityRow, 'key' | 'value' | 'timestamp'>;

function keyFields(key: unknown): Pick<ParityOutput, 'key' | 'windowStart' | 'windowEnd'> {
  if (!(key instanceof Windowed)) return { key: key as string | null };
  return { key: key.key as string, windowStart: key.startMs, windowEnd: key.endMs };
}

function byKeyAndWindow(a: ParityRow, b: ParityRow): number {
  return Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)) || (a.windowStart ?? 0) - (b.windowStart ?? 0);
}
