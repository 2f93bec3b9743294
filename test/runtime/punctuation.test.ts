import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import {
  type Cancellable,
  type Processor,
  type ProcessorContext,
  type PunctuationType,
  Record,
  Serdes,
  StreamsBuilder,
  StreamsError,
} from '../../src/index.ts';
import { shown, TextDriver, texts } from '../dsl/text-driver.ts';

type Context = ProcessorContext<string, string>;

interface Ticks {
  readonly type: PunctuationType;
  readonly everyMs: number;
  readonly tick: (timeMs: number, context: Context, schedule: Cancellable) => void | Promise<void>;
  readonly process?: Processor<string, string, string, string>['process'];
}

/** A processor that forwards its records and punctuates. */
async function ticking({ type, everyMs, tick, process }: Ticks, wallClockMs = 0): Promise<TextDriver> {
  const builder = new StreamsBuilder();
  builder.addStateStore({ kind: 'key-value', name: 'rows', ...texts });
  builder
    .stream('in', texts)
    .process<string, string>(
      () => {
        let context: Context;
        return {
          init: (given) => {
            context = given;
            const schedule = context.schedule(everyMs, type, (timeMs) => tick(timeMs, context, schedule));
          },
          process: (record) => (process === undefined ? context.forward(record) : process(record)),
        };
      },
      { name: 'mine', stores: ['rows'] },
    )
    .to('out', shown());
  return TextDriver.of(builder, { wallClockMs });
}

const forwardTime = (timeMs: number, context: Context): void =>
  context.forward(new Record('tick', String(timeMs), timeMs));

test('a stream-time schedule fires at the first record, then at each multiple reached, once for a jump, never for older records', async (t) => {
  const driver = await ticking({ type: 'stream-time', everyMs: 10, tick: forwardTime });
  t.deepEqual(await driver.pipe('in', 'a x @3'), ['out a x @3', 'out tick 3 @3']);
  t.deepEqual(await driver.pipe('in', 'a x @9'), ['out a x @9']);
  t.deepEqual(await driver.pipe('in', 'a x @10'), ['out a x @10', 'out tick 10 @10']);
  t.deepEqual(await driver.pipe('in', 'a x @47'), ['out a x @47', 'out tick 47 @47']);
  t.deepEqual(await driver.pipe('in', 'a x @20', 'a x @49'), ['out a x @20', 'out a x @49']);
  t.deepEqual(await driver.pipe('in', 'a x @50'), ['out a x @50', 'out tick 50 @50']);
});

test('a wall-clock schedule fires when the clock has gone on by its interval, once for a jump', async (t) => {
  const driver = await ticking({ type: 'wall-clock', everyMs: 100, tick: forwardTime }, 1000);
  const advanced = async (ms: number): Promise<string[]> => {
    await driver.driver.advanceWallClock(ms);
    return driver.outputs();
  };
  t.deepEqual(await driver.pipe('in', 'a x @5000'), ['out a x @5000']);
  t.deepEqual(await advanced(99), []);
  t.deepEqual(await advanced(1), ['out tick 1100 @1100']);
  t.deepEqual(await advanced(350), ['out tick 1450 @1450']);
  t.deepEqual(await advanced(49), []);
  t.deepEqual(await advanced(1), ['out tick 1500 @1500']);
});

test('a cancelled schedule fires no more, be it cancelled by itself', async (t) => {
  const driver = await ticking({
    type: 'stream-time',
    everyMs: 10,
    tick: (timeMs, context, schedule) => {
      forwardTime(timeMs, context);
      if (timeMs >= 20) schedule.cancel();
    },
  });
  t.deepEqual(await driver.pipe('in', 'a x @0', 'a x @20', 'a x @30', 'a x @40'), [
    'out a x @0',
    'out tick 0 @0',
    'out a x @20',
    'out tick 20 @20',
    'out a x @30',
    'out a x @40',
  ]);
});

test('several schedules fire in the order in which they were made; one can cancel another', async (t) => {
  const fired: string[] = [];
  const builder = new StreamsBuilder();
  builder.stream('in', texts).process(() => ({
    init(context) {
      context.schedule(10, 'stream-time', (timeMs) => {
        fired.push(`first ${timeMs}`);
        if (timeMs === 20) second.cancel();
      });
      const second = context.schedule(5, 'stream-time', (timeMs) => {
        fired.push(`second ${timeMs}`);
      });
    },
    process() {},
  }));
  const driver = await TextDriver.of(builder);
  await driver.pipe('in', 'a x @0', 'a x @5', 'a x @20', 'a x @30');
  t.deepEqual(fired, ['first 0', 'second 0', 'second 5', 'first 20', 'first 30']);
});

test('the task waits for an asynchronous punctuator before it takes the next record', async (t) => {
  const driver = await ticking({
    type: 'stream-time',
    everyMs: 10,
    tick: async (timeMs, context) => {
      await sleep(5);
      forwardTime(timeMs, context);
    },
  });
  t.deepEqual(await driver.pipe('in', 'a x @1', 'a y @2'), ['out a x @1', 'out tick 1 @1', 'out a y @2']);
});

test('a punctuator waits until its processor is done with the record that moved the time', async (t) => {
  const order: string[] = [];
  const driver = await ticking({
    type: 'stream-time',
    everyMs: 10,
    tick: (timeMs) => {
      order.push(`tick ${timeMs}`);
    },
    process: async (record) => {
      await sleep(3);
      order.push(`record ${record.timestamp}`);
    },
  });
  await driver.pipe('in', 'a x @1', 'a x @12');
  t.deepEqual(order, ['record 1', 'tick 1', 'record 12', 'tick 12']);
});

test('a punctuator reads ranges of stores, and what it puts is there for the next record', async (t) => {
  const driver = await ticking({
    type: 'stream-time',
    everyMs: 10,
    tick: async (timeMs, context) => {
      const rows = context.keyValueStore<string, string>('rows');
      let all = '';
      for await (const [key] of rows.range()) all += key;
      context.forward(new Record('keys', all, timeMs));
      rows.put(String(timeMs), 'x');
    },
  });
  const ticks = (await driver.pipe('in', 'a x @1', 'a x @12', 'a x @25')).filter((line) => line.startsWith('out keys'));
  t.deepEqual(ticks, ['out keys  @1', 'out keys 1 @12', 'out keys 112 @25']);
});

test('in a punctuator, asynchronous or not, there is no record in process', async (t) => {
  for (const wait of [false, true]) {
    const seen: unknown[] = [];
    const driver = await ticking({
      type: 'stream-time',
      everyMs: 10,
      tick: async (_timeMs, context) => {
        if (wait) await sleep(1);
        seen.push(context.recordMetadata);
      },
    });
    await driver.pipe('in', 'a x @1');
    t.deepEqual(seen, [undefined]);
  }
});

test('an error in a punctuator names its node', async (t) => {
  for (const fail of [
    () => {
      throw new Error('tick failed');
    },
    () => Promise.reject(new Error('tick failed')),
  ]) {
    const driver = await ticking({ type: 'stream-time', everyMs: 10, tick: fail });
    const error = (await t.throwsAsync(driver.pipe('in', 'a x @1'))) as StreamsError;
    t.true(StreamsError.is(error));
    t.is(error.details.nodeName, 'mine');
    t.regex(error.message, /tick failed/);
  }
});

test('an interval below 1 ms is a mistake', async (t) => {
  const error = await t.throwsAsync(ticking({ type: 'stream-time', everyMs: 0, tick: () => {} }));
  t.true(error instanceof RangeError);
});

test('each task has its own stream time and its own schedules', async (t) => {
  const builder = new StreamsBuilder();
  builder
    .stream('in', texts)
    .process<string, string>(() => ({
      init(context) {
        context.schedule(10, 'stream-time', (timeMs) =>
          context.forward(new Record(context.taskId, String(timeMs), timeMs)),
        );
      },
      process() {},
    }))
    .to('out', { keySerde: Serdes.string, valueSerde: Serdes.string });
  const driver = await TextDriver.of(builder, { partitions: 2 });
  // By murmur2 key a goes to partition 0 of 2, key d to 1.
  const out = await driver.pipe('in', 'a x @5', 'd x @100', 'a x @7', 'a x @10');
  t.deepEqual(out, ['out 0_0 5 @5', 'out 0_1 100 @100', 'out 0_0 10 @10']);
});
