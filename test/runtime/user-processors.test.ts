import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import {
  type ConsumedRecord,
  type KeyValueStore,
  type Processor,
  type ProcessorContext,
  Record,
  Serdes,
  StreamsBuilder,
  StreamsError,
  TimeWindows,
  type WindowRow,
} from '../../src/index.ts';
import { shown, TextDriver, texts } from '../dsl/text-driver.ts';

type Context = ProcessorContext<string, unknown>;

/** A driver over one processor between the topics `in` and `out`. */
async function running(
  work: (context: Context) => Partial<Processor<string, string, string, unknown>>,
  declare: (builder: StreamsBuilder) => readonly string[] = () => [],
  options?: { partitions: number },
): Promise<TextDriver> {
  const builder = new StreamsBuilder();
  const stores = declare(builder);
  const supplier = (): Processor<string, string, string, unknown> => {
    let made: Partial<Processor<string, string, string, unknown>> = {};
    return {
      init: (context) => {
        made = work(context);
      },
      process: (record) => made.process?.(record),
      close: () => made.close?.(),
    };
  };
  builder.stream('in', texts).process(supplier, { name: 'mine', stores }).to('out', shown());
  return TextDriver.of(builder, options);
}

test('an asynchronous processor sees one record at a time, in order, and its output follows in that order', async (t) => {
  let busy = 0;
  const builder = new StreamsBuilder();
  builder
    .stream('in', texts)
    .flatMapValues((value) => value.split(','))
    .process<string, string>(() => {
      let context: Context;
      return {
        init: (given) => {
          context = given as Context;
        },
        process: async (record) => {
          t.is(++busy, 1);
          await sleep(record.value === 'slow' ? 8 : 1);
          context.forward(record.withValue(`${record.value}!`));
          busy--;
        },
      };
    })
    .to('out', shown());
  const driver = await TextDriver.of(builder);
  t.deepEqual(await driver.pipe('in', 'a slow,quick,slow @1', 'b quick @2'), [
    'out a slow! @1',
    'out a quick! @1',
    'out a slow! @1',
    'out b quick! @2',
  ]);
});

test('what an asynchronous processor forwards goes on through later nodes and internal topics before the next record', async (t) => {
  const builder = new StreamsBuilder();
  builder
    .stream('in', texts)
    .process<string, string>(() => {
      let context: Context;
      return {
        init: (given) => {
          context = given as Context;
        },
        process: async (record) => {
          await sleep(1);
          context.forward(record.withKey('all'));
        },
      };
    })
    .groupByKey(texts)
    .count({ name: 'counts' })
    .toStream()
    .to('out', shown());
  const driver = await TextDriver.of(builder, { partitions: 3 });
  t.deepEqual(await driver.pipe('in', 'a x @1', 'b x @2', 'c x @3'), ['out all 1 @1', 'out all 2 @2', 'out all 3 @3']);
});

for (const asynchronous of [false, true])
  test(`an error of the author's code names the node and keeps its cause (${asynchronous ? 'promise' : 'thrown'})`, async (t) => {
    const cause = new Error('no luck');
    const driver = await running(() => ({
      process: () => {
        if (asynchronous) return Promise.reject(cause);
        throw cause;
      },
    }));
    const error = (await t.throwsAsync(driver.pipe('in', 'a x @1'))) as StreamsError;
    t.true(StreamsError.is(error));
    t.is(error.code, 'STREAMS_PROCESSING');
    t.is(error.details.nodeName, 'mine');
    t.is(error.cause, cause);
    t.regex(error.message, /node mine failed: no luck/);
  });

test('an error below a processor names the node that failed, not those above it', async (t) => {
  const builder = new StreamsBuilder();
  builder
    .stream('in', texts)
    .filter(() => true)
    .split({ name: 's-' })
    .branch(() => true, { name: 'only' })
    .noDefaultBranch()
    .get('s-only')!
    .mapValues(
      (): string => {
        throw new RangeError('too far');
      },
      { name: 'guilty' },
    )
    .to('out', texts);
  const error = (await t.throwsAsync((await TextDriver.of(builder)).pipe('in', 'a x @1'))) as StreamsError;
  t.is(error.details.nodeName, 'guilty');
});

test('a key-value store gives back what was put, and ranges by serialized key, committed or not', async (t) => {
  const found: (readonly [string, number])[][] = [];
  const driver = await running(
    (context) => {
      const store = context.keyValueStore<string, number>('numbers');
      return {
        process: async ({ key, value }) => {
          if (value === 'delete') t.is(store.delete(key), 1);
          else if (value !== 'range') store.put(key, (store.get(key) ?? 0) + 1);
          for (const [from, to] of value === 'range' ? [[], ['b', 'c']] : []) {
            const rows: (readonly [string, number])[] = [];
            for await (const row of store.range(from, to)) rows.push(row);
            found.push(rows);
          }
        },
      };
    },
    (builder) => {
      builder.addStateStore({ kind: 'key-value', name: 'numbers', keySerde: Serdes.string, valueSerde: Serdes.int64 });
      return ['numbers'];
    },
  );
  await driver.pipe('in', 'c x @1', 'a x @2', 'c x @3', 'd x @4');
  await driver.driver.flush();
  await driver.pipe('in', 'b x @5', 'a delete @6', 'z range @7');
  t.deepEqual(found, [
    [
      ['b', 1],
      ['c', 2],
      ['d', 1],
    ],
    [
      ['b', 1],
      ['c', 2],
    ],
  ]);
  t.deepEqual(driver.driver.keyValue('numbers', 'c'), { value: 2, timestamp: 3 });
});

test('a processor below a table ranges over all that it has put, however large the commit is', async (t) => {
  const keys = 20_000;
  const found: [put: number, ranged: number][] = [];
  const builder = new StreamsBuilder();
  builder.addStateStore({ kind: 'key-value', name: 'seen', keySerde: Serdes.string, valueSerde: Serdes.int64 });
  let put = 0;
  builder
    .stream('in', texts)
    .groupByKey(texts)
    .count({ name: 'counts' })
    .toStream()
    .process<string, number>(
      () => {
        let store: KeyValueStore<string, number>;
        return {
          init: (context) => {
            store = context.keyValueStore('seen');
          },
          process: async ({ key, value }) => {
            store.put(key, value);
            if (++put % 5000 !== 0) return;
            let ranged = 0;
            for await (const _ of store.range()) ranged++;
            found.push([put, ranged]);
          },
        };
      },
      { name: 'mine', stores: ['seen'] },
    );
  const { driver } = await TextDriver.of(builder, { caching: true });
  const input = driver.inputTopic('in');
  for (let i = 0; i < keys; i++) await input.pipeInput(`m${i}`, 'x', i);
  await driver.flush();
  t.deepEqual(
    found,
    [5000, 10_000, 15_000, 20_000].map((count) => [count, count]),
  );
});

test('a window store has a row a key and window start', async (t) => {
  const rows: WindowRow<string, string>[] = [];
  const driver = await running(
    (context) => {
      const store = context.windowStore<string, string>('seen');
      return {
        process: async ({ key, value, timestamp }) => {
          const startMs = Math.floor(timestamp / 10) * 10;
          store.put(key, (store.fetch(key, startMs) ?? '') + value, startMs, timestamp);
          if (value === 'z') for await (const row of store.fetchRange(key, 10, 30)) rows.push(row);
        },
      };
    },
    (builder) => {
      builder.addStateStore({ kind: 'window', name: 'seen', windows: TimeWindows.ofSizeWithNoGrace(10), ...texts });
      return ['seen'];
    },
  );
  await driver.pipe('in', 'a p @5', 'a q @25', 'a r @12', 'b s @13', 'a t @26', 'a u @30', 'a z @19');
  t.deepEqual(
    rows.map(({ windowed, value, timestamp }) => `${windowed} ${value} @${timestamp}`),
    ['[a@10/20] rz @19', '[a@20/30] qt @26'],
  );
});

test('a versioned store of a processor answers as of any time; each task has its own', async (t) => {
  const driver = await running(
    (context) => {
      const store = context.versionedStore<string, string>('prices');
      return {
        process: ({ key, value, timestamp }) => {
          if (value === '?') context.forward(new Record(key, store.get(key, timestamp) ?? 'none', timestamp));
          else if (value === 'latest') context.forward(new Record(key, store.get(key) ?? 'none', timestamp));
          else store.put(key, value === 'end' ? undefined : value, timestamp);
        },
      };
    },
    (builder) => {
      builder.addStateStore({ kind: 'versioned', name: 'prices', ...texts });
      return ['prices'];
    },
    { partitions: 3 },
  );
  await driver.pipe('in', 'a 5 @100', 'a 7 @300', 'a 6 @200', 'a end @400', 'b 1 @50');
  await driver.driver.flush();
  t.deepEqual(await driver.pipe('in', 'a ? @99', 'a ? @200', 'a ? @399', 'a ? @400', 'b latest @0', 'a latest @0'), [
    'out a none @99',
    'out a 6 @200',
    'out a 7 @399',
    'out a none @400',
    'out b 1 @0',
    'out a none @0',
  ]);
  t.deepEqual(driver.driver.history('prices', 'b'), [{ validFromMs: 50, value: '1' }]);
});

test('a processor reads a global table and cannot write to it', async (t) => {
  const driver = await running(
    (context) => {
      const store = context.versionedStore<string, string>('park');
      t.throws(() => store.put('a', 'x', 0), { instanceOf: TypeError, message: /only read it/ });
      return { process: (record) => context.forward(record.withValue(store.get(record.key, record.timestamp))) };
    },
    (builder) => {
      builder.globalTable('places', { ...texts, name: 'park', versioned: true });
      return ['park'];
    },
  );
  await driver.pipe('places', 'a Lyon @10');
  t.deepEqual(await driver.pipe('in', 'a x @9', 'a x @10'), ['out a - @9', 'out a Lyon @10']);
});

test('a store that is not connected to a processor is refused to it', async (t) => {
  const ask = (context: Context): object => ({ store: context.keyValueStore('numbers') });
  const error = await t.throwsAsync(running(ask));
  t.is((error as StreamsError).code, 'STREAMS_STATE_STORE_UNKNOWN');
  t.regex(error!.message, /processor mine asks for store numbers/);
});

test('a record can be forwarded to one child by name; another name is a mistake', async (t) => {
  const builder = new StreamsBuilder();
  const stream = builder.stream('in', texts).process<string, string>(() => {
    let context: ProcessorContext<string, string>;
    return {
      init: (given) => {
        context = given;
      },
      process: (record) => context.forward(record, record.value),
    };
  });
  for (const child of ['left', 'right']) stream.mapValues((value) => value, { name: child }).to(`to-${child}`, texts);
  const driver = await TextDriver.of(builder);
  t.deepEqual(await driver.pipe('in', 'a right @1', 'b left @2'), ['to-right a right @1', 'to-left b left @2']);
  const error = (await t.throwsAsync(driver.pipe('in', 'a nowhere @3'))) as StreamsError;
  t.true(error.cause instanceof RangeError);
  t.regex(error.message, /forwards to nowhere, which is none of its children: left, right/);
});

test('a processor knows its task and where the record in process came from', async (t) => {
  const builder = new StreamsBuilder();
  const seen: unknown[] = [];
  builder.stream(['one', 'two'], texts).process(() => {
    let context: ProcessorContext<string, string>;
    return {
      init: (given) => {
        context = given;
      },
      process: () => {
        const { topic, partition } = context.recordMetadata as Pick<
          ConsumedRecord<string, string>,
          'topic' | 'partition'
        >;
        seen.push([context.taskId, topic, partition, context.streamTimeMs]);
      },
    };
  });
  const driver = await TextDriver.of(builder);
  await driver.pipe('two', 'a x @5');
  await driver.pipe('one', 'a x @3');
  t.deepEqual(seen, [
    ['0_0', 'two', 0, 5],
    ['0_0', 'one', 0, 5],
  ]);
});

test('closing the topology closes each processor', async (t) => {
  let closed = 0;
  const driver = await running(
    () => ({
      close: () => {
        closed++;
      },
    }),
    undefined,
    { partitions: 3 },
  );
  await driver.driver.close();
  t.is(closed, 3);
});

for (const operator of ['peek', 'forEach'] as const)
  test(`the task waits for what the function of ${operator} promises; its failure names the node`, async (t) => {
    const done: string[] = [];
    const builder = new StreamsBuilder();
    builder.stream('in', texts)[operator](
      async (_key, value) => {
        done.push(`${value} begins`);
        await new Promise((resolve) => setImmediate(resolve));
        if (value === 'bad') throw new Error('no such meter');
        done.push(`${value} ends`);
      },
      { name: 'mine' },
    );
    const driver = await TextDriver.of(builder);
    await driver.pipe('in', 'a 1 @1', 'a 2 @2');
    t.deepEqual(done, ['1 begins', '1 ends', '2 begins', '2 ends']);
    const error = (await t.throwsAsync(driver.pipe('in', 'a bad @3'))) as StreamsError;
    t.is(error.code, 'STREAMS_PROCESSING');
    t.is(error.details.nodeName, 'mine');
  });

test('records wait for an asynchronous init; where it fails nothing starts, and the error names the node', async (t) => {
  for (const fails of [false, true]) {
    const seen: string[] = [];
    const builder = new StreamsBuilder();
    builder.stream('in', texts).process(
      () => ({
        async init() {
          await new Promise((resolve) => setImmediate(resolve));
          if (fails) throw new Error('no database');
          seen.push('init');
        },
        process: ({ value }) => void seen.push(value),
      }),
      { name: 'mine' },
    );
    if (fails) {
      const error = (await t.throwsAsync(TextDriver.of(builder))) as StreamsError;
      t.is(error.code, 'STREAMS_PROCESSING');
      t.is(error.details.nodeName, 'mine');
      continue;
    }
    const driver = await TextDriver.of(builder);
    await driver.pipe('in', 'a 1 @1');
    t.deepEqual(seen, ['init', '1']);
  }
});
