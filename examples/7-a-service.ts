// A service: a topology on Kafka with a page, metrics, health and queries over HTTP.
//
// Here Kafka is a cluster in memory, so that the example needs nothing. With a real one the client is
// `new KafkaStreams(topology, { applicationId: 'meters', bootstrapServers: ['localhost:9092'] })`.
//
//     node --import tsx examples/7-a-service.ts

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { KafkaStreams, Serdes, StreamsBuilder } from '../src/index.ts';
import { serve } from '../src/server.ts';
import { MemoryCluster } from '../src/testing.ts';

const cluster = new MemoryCluster();
cluster.createTopic('readings', 1);

const builder = new StreamsBuilder();
builder
  .stream('readings', { keySerde: Serdes.string, valueSerde: Serdes.int64 })
  .groupByKey()
  .reduce((sum, wattHours) => sum + wattHours, { name: 'totals' });

const stateDir = await mkdtemp(join(tmpdir(), 'weir-example-'));
const broker = cluster.connect();
const streams = new KafkaStreams(builder.build(), { broker, applicationId: 'meters', stateDir });
const server = await serve(streams, { port: 0 });
await streams.start();

const readings = [20, 22].map((wattHours) => ({
  key: 'meter-8',
  value: Serdes.int64.serialize(wattHours),
  timestamp: 1,
}));
cluster.write('readings', 0, readings);

// Until it is ready /readyz answers 503, and a store has no row for a key that it has not seen.
const ask = (path: string): Promise<Response> => fetch(server.url + path);
while ((await ask('/readyz')).status !== 200) await delay(20);
let row = await ask('/stores/totals/meter-8');
while (row.status !== 200 || !(await row.clone().text()).includes('42')) {
  await delay(20);
  row = await ask('/stores/totals/meter-8');
}
console.log(await row.json());
const metrics = (await (await ask('/metrics')).text()).split('\n');
console.log(metrics.find((line) => line.startsWith('streams_client_state{') && line.endsWith(' 1')));

await server.close();
await streams.close();
await broker.close();
await rm(stateDir, { recursive: true });
