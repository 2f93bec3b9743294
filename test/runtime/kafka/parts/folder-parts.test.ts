import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { MemoryCluster } from '../../../../src/clients/memory/memory-broker.ts';
import { InstanceFolders } from '../../../../src/runtime/kafka/folder-parts.ts';
import { openLevelDatabase } from '../../../../state/level-database.ts';
import { drained, startClient, stop } from '../kit.ts';
import { counts } from '../topologies.ts';

test('a folder of an instance that ended before it had written anything is passed over; one that is not there is an error', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'weir-folders-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const [good, empty, missing] = ['good', 'empty', 'missing'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const cluster = new MemoryCluster();
  cluster.createTopic('in', 1);
  cluster.write('in', 0, [{ key: 'a', value: 'x', timestamp: 1 }]);
  const client = await startClient(t, cluster, counts(), { stateDir: good, openDatabase: openLevelDatabase });
  await drained(cluster, counts());
  await stop(client);
  await mkdir(join(empty, 'global'), { recursive: true });
  const topology = counts();
  const store = topology.stores.find(({ name }) => name === 'counts')!;
  for (const given of [[good], [empty, good], [good, empty]]) {
    const folders = await InstanceFolders.open(given);
    t.is(folders.partsOf(topology, store, 1).length, 1, given.join());
    await folders.close();
  }
  await t.throwsAsync(InstanceFolders.open([empty]), {
    code: 'STREAMS_STATE_MISSING',
    message: /empty: no instance has committed anything there\. .*--brokers/,
  });
  await t.throwsAsync(InstanceFolders.open([good, missing]), { code: 'STREAMS_STATE_MISSING', message: /missing/ });
});
