import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import {
  EmbeddedStreams,
  type Serde,
  Serdes,
  StreamsBuilder,
  type StreamsError,
  TimeWindows,
  Windowed,
  type WindowStore,
} from '../../src/index.ts';
import { TextDriver, texts } from '../dsl/text-driver.ts';
import { ListFeed } from './list-feed.ts';

/** A topology that puts each value into the window that begins at its time; rows are kept for 30 ms. */
function keeping(valueSerde: Serde<string>): StreamsBuilder {
  const builder = new StreamsBuilder();
  const windows = TimeWindows.ofSizeWithNoGrace(10).retention(30);
  builder.addStateStore({ name: 'windows', kind: 'window', ...texts, windows });
  builder.stream('in', { keySerde: Serdes.string, valueSerde }).process(
    () => {
      let store: WindowStore<string, string>;
      return {
        init(context) {
          store = context.windowStore('windows');
        },
        process: ({ key, timestamp }) => store.put(key, 'x', timestamp),
      };
    },
    { name: 'mine', stores: ['windows'] },
  );
  return builder;
}

test('a row in a window that the store does not have is refused, and the others can be listed', async (t) => {
  const driver = await TextDriver.of(keeping(Serdes.string));
  await driver.pipe('in', 'a x @10');
  const error = (await t.throwsAsync(driver.pipe('in', 'a x @15'))) as StreamsError;
  t.regex(error.message, /no window starts at 15/);
  t.deepEqual(await driver.driver.rows('windows'), [{ key: new Windowed('a', 10, 20), value: 'x', timestamp: 10 }]);
});

for (const caching of [false, true])
  test(`a processor's window store keeps rows for as long as its windows say${caching ? ' (cached)' : ''}`, async (t) => {
    const driver = await TextDriver.of(keeping(Serdes.string), { caching });
    const starts = async (): Promise<number[]> =>
      (await driver.driver.rows<string, string>('windows')).map(({ key }) => (key as Windowed<string>).startMs);
    await driver.pipe('in', 'a x @0', 'b x @10');
    await driver.flush();
    await driver.pipe('in', 'a x @20');
    t.deepEqual(await starts(), [0, 10, 20]);
    await driver.pipe('in', 'c x @30');
    t.deepEqual(await starts(), [10, 20, 30]);
    // A row of [0, 10) is not kept any more, one of [10, 20) is.
    await driver.pipe('in', 'a x @0', 'a x @10');
    t.is(driver.driver.dropped().late, 1);
    t.is(driver.driver.windowed('windows', 'a', 0), undefined);
    await driver.flush();
    t.deepEqual(await starts(), [10, 10, 20, 30]);
    await driver.pipe('in', 'a x @1000');
    await driver.flush();
    t.deepEqual(await starts(), [1000]);
  });

test("a processor's window store knows after a restart what it keeps no more", async (t) => {
  const stateDir = await mkdtemp(join(tmpdir(), 'weir-retention-'));
  t.teardown(() => rm(stateDir, { recursive: true, force: true }));
  const topology = keeping(Serdes.json<string>()).build();
  for (const [timestamp, late] of [
    [30, 0],
    [0, 1],
  ] as const) {
    const streams = await EmbeddedStreams.open(topology, { stateDir, syncWrites: false });
    t.teardown(() => streams.close());
    await streams.run([new ListFeed('in', [{ key: 'a', value: 'x', timestamp }])]);
    t.is(streams.stats().work['0_0']!.dropped.late, late);
    await streams.close();
  }
});
