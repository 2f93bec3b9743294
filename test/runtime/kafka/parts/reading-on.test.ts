import test from 'ava';
import type { Broker, FetcherOptions } from '../../../../src/clients/broker.ts';
import type { FetchedRecords } from '../../../../src/clients/fetched-records.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { StreamsBuilder } from '../../../../src/index.ts';
import { ChangelogFollower, type ChangelogReader } from '../../../../src/runtime/kafka/changelog-follower.ts';
import { GlobalTables } from '../../../../src/runtime/kafka/global-tables.ts';
import type { TaskFolder } from '../../../../src/runtime/kafka/task-folder.ts';
import { Disk } from '../disk.ts';
import { sleep } from '../kit.ts';
import { counts, texts } from '../topologies.ts';

/** A fetch that has passed over markers up to here. */
const passed = (topic: string, nextOffset: number): FetchedRecords =>
  ({
    topic,
    partition: 0,
    length: 0,
    nextOffset,
    stableEnd: nextOffset,
  }) as unknown as FetchedRecords;

/** Calls after so many turns of the queue of microtasks. */
function after(turns: number, call: () => void): void {
  if (turns === 0) call();
  else queueMicrotask(() => after(turns - 1, call));
}

test('a changelog is read on whenever the next fetch comes, also just as the last one is done', async (t) => {
  const topic = 'app-counts-changelog';
  for (let turns = 0; turns < 12; turns++) {
    let whenWritten = (): void => {};
    const database = {
      batch: () => ({
        write: async () => {},
        close: async () => {
          whenWritten();
        },
      }),
    };
    const folder = { taskId: '0_0', partition: 0, specs: counts().stores, database, prefixOf: () => new Uint8Array(1) };
    const reader = { add() {}, remove() {}, pause() {}, resume() {} };
    const follower = new ChangelogFollower(
      reader as unknown as ChangelogReader,
      { ...folder, positions: new Map([[topic, 0]]) } as unknown as TaskFolder,
      'app',
      new Map(),
    );
    whenWritten = () => {
      whenWritten = () => {};
      after(turns, () => follower.receive(passed(topic, 2)));
    };
    follower.receive(passed(topic, 1));
    await sleep(1);
    t.is(follower.progress[0]!.position, 2, `after ${turns} turns`);
  }
});

test('a global table is read on whenever the next fetch comes, also just as the last one is done', async (t) => {
  const builder = new StreamsBuilder();
  builder.globalTable('names', { name: 'names', ...texts });
  const topology = builder.build();
  for (let turns = 0; turns < 12; turns++) {
    let receive: FetcherOptions['receive'] = () => {};
    const broker = {
      admin: {
        topicIds: async () => new Map(),
        topicConfigs: async () => new Map(),
        partitionCounts: async () => new Map([['names', 1]]),
        offsets: async () => [0],
      },
      fetcher: (options: FetcherOptions) => {
        receive = options.receive;
        return { add() {}, close: async () => {} };
      },
    };
    const disk = new Disk();
    const tables = await GlobalTables.open(broker as unknown as Broker, {
      topology,
      applicationId: 'app',
      stateDir: disk.stateDir,
      settings: {},
      joined: {},
      lost: (error) => {
        throw error;
      },
      cacheBytes: 1000,
      logger: silentLogger,
      openDatabase: disk.openDatabase,
      unreadable: () => {},
      failed: (error) => t.fail(String(error)),
      rebuilt: (error) => t.fail(String(error)),
    });
    let told = 0;
    await tables.start(async () => {
      if (++told === 1) after(turns, () => receive(passed('names', 2)));
    });
    receive(passed('names', 1));
    await sleep(10);
    t.deepEqual(tables.positions, { names: [2] }, `after ${turns} turns`);
    await tables.close();
    disk.remove();
  }
});
