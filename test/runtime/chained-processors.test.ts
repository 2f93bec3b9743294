import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import {
  type Processor,
  type ProcessorContext,
  Record,
  Serdes,
  StreamsBuilder,
  type StreamsError,
  Topology,
} from '../../src/index.ts';
import type { StoreSpec } from '../../src/processor/node.ts';
import { TextDriver, texts } from '../dsl/text-driver.ts';

type Context = ProcessorContext<string, string>;

interface Link {
  readonly name: string;
  readonly everyMs: number;
  readonly waitMs?: number;
}

/** Processors one below the other; each notes what it sees, and forwards its records. */
async function chain(links: readonly Link[]): Promise<{ driver: TextDriver; seen: string[] }> {
  const seen: string[] = [];
  const builder = new StreamsBuilder();
  let stream = builder.stream('in', texts);
  for (const { name, everyMs, waitMs } of links)
    stream = stream.process<string, string>(
      () => {
        let context: Context;
        const note = async (what: string): Promise<void> => {
          await sleep(waitMs);
          seen.push(what);
        };
        return {
          init(given) {
            context = given;
            context.schedule(everyMs, 'stream-time', (timeMs) => {
              if (waitMs !== undefined) return note(`${name} tick ${timeMs}`);
              seen.push(`${name} tick ${timeMs}`);
              return undefined;
            });
          },
          process(record) {
            if (waitMs !== undefined) return note(`${name} ${record.value}`).then(() => context.forward(record));
            seen.push(`${name} ${record.value}`);
            context.forward(record);
            return undefined;
          },
        };
      },
      { name },
    );
  return { driver: await TextDriver.of(builder), seen };
}

test('of punctuators that are due together the one due first fires first, wherever it stands in the chain', async (t) => {
  for (const waits of [[], [0], [1], [2], [0, 1, 2]]) {
    const links = [
      { name: 'a', everyMs: 10 },
      { name: 'b', everyMs: 4 },
      { name: 'c', everyMs: 7 },
    ].map((link, i) => (waits.includes(i) ? { ...link, waitMs: 1 } : link));
    const { driver, seen } = await chain(links);
    await driver.pipe('in', 'k x @0', 'k y @20', 'k z @29');
    // At 0 all are due at 0, and come as Java's heap gives them (run with Kafka Streams 4.3.1). At 20 b is due since 4, c since 7, a since 10; next at 24, 21, 30. At 29: c since 21, b since 24.
    t.deepEqual(seen, [
      ...['a x', 'b x', 'c x', 'a tick 0', 'c tick 0', 'b tick 0'],
      ...['a y', 'b y', 'c y', 'b tick 20', 'c tick 20', 'a tick 20'],
      ...['a z', 'b z', 'c z', 'c tick 29', 'b tick 29'],
    ]);
  }
});

test('a schedule made while records come stays on multiples of its interval from 0', async (t) => {
  const fired: number[] = [];
  const builder = new StreamsBuilder();
  builder.stream('in', texts).process<string, string>(() => {
    let context: Context;
    return {
      init(given) {
        context = given;
      },
      process(record) {
        if (record.value === 'now')
          context.schedule(10, 'stream-time', (timeMs) => {
            fired.push(timeMs);
          });
      },
    };
  });
  const driver = await TextDriver.of(builder);
  await driver.pipe('in', 'k x @50', 'k now @57', 'k x @59', 'k x @60', 'k x @69', 'k x @75');
  t.deepEqual(fired, [57, 60, 75]);
});

async function failing(processor: (context: () => Context) => Processor<string, string, string, string>['process']) {
  const builder = new StreamsBuilder();
  builder.addStateStore({ kind: 'key-value', name: 'rows', ...texts });
  builder.addStateStore({ kind: 'key-value', name: 'longs', keySerde: Serdes.string, valueSerde: Serdes.int64 });
  let context: Context;
  builder
    .stream('in', texts)
    .process<string, string>(
      () => ({
        init(given) {
          context = given;
        },
        process: processor(() => context),
      }),
      { name: 'mine', stores: ['rows', 'longs'] },
    )
    .to('out', texts);
  return TextDriver.of(builder);
}

test('times that a processor makes up are checked: none reaches a topic or a store that is not a time', async (t) => {
  for (const time of [Number.NaN, -5, -1, 1.5, Number.POSITIVE_INFINITY, '7' as never, undefined as never, 2 ** 60]) {
    for (const [what, process] of Object.entries({
      forward: (context: Context) => context.forward(new Record('a', 'x', time)),
      put: (context: Context) =>
        context.keyValueStore<string, string>('rows').put('a', 'x', time === undefined ? Number.NaN : time),
    })) {
      const driver = await failing((context) => () => process(context()));
      const error = (await t.throwsAsync(driver.pipe('in', 'a x @3'))) as StreamsError;
      t.is(error.code, 'STREAMS_PROCESSING', `${what} ${time}`);
      t.is(error.details.nodeName, 'mine');
      t.regex(error.message, /timestamp/);
    }
  }
  const driver = await failing((context) => () => context().forward(new Record('a', 'x', 0)));
  t.deepEqual(await driver.pipe('in', 'a x @3'), ['out a x @0']);
});

test('what a processor puts that its store does not give back names store, key and node; the row stays as it was', async (t) => {
  const driver = await failing((context) => (record) => {
    const longs = context().keyValueStore<string, number>('longs');
    longs.put(record.key, Number(record.value));
    context().forward(record.withValue(String(longs.get(record.key))));
  });
  t.deepEqual(await driver.pipe('in', 'a 5 @1'), ['out a 5 @1']);
  const error = (await t.throwsAsync(driver.pipe('in', 'a 0.663 @2'))) as StreamsError;
  t.is(error.code, 'STREAMS_SERIALIZATION');
  t.like(error.details, { nodeName: 'mine', store: 'longs', key: '"a"' });
  t.deepEqual(await driver.rows('longs'), ['a 5 @1']);
});

const withThen = (then: unknown): object => Object.fromEntries([['then', then]]);

test('a processor or punctuator may return anything; promises of any kind are waited for', async (t) => {
  for (const result of [7, 'x', null, {}, [], withThen(5), false]) {
    const driver = await failing((context) => (record) => {
      context().schedule(10, 'stream-time', () => result as never);
      context().forward(record);
      return result as never;
    });
    t.deepEqual(await driver.pipe('in', 'a x @1', 'a y @2'), ['out a x @1', 'out a y @2']);
  }
  const driver = await failing((context) => (record) => {
    const work = sleep(2).then(() => context().forward(record));
    // Not a Promise: of a library.
    return withThen(work.then.bind(work)) as never;
  });
  t.deepEqual(await driver.pipe('in', 'a x @1', 'a y @2'), ['out a x @1', 'out a y @2']);
});

test('a null of a processor deletes a row; what it does with values it has read or put changes none', async (t) => {
  interface Box {
    n: number;
  }
  const builder = new StreamsBuilder();
  builder.addStateStore({ kind: 'key-value', name: 'boxes', keySerde: Serdes.string, valueSerde: Serdes.json<Box>() });
  builder.stream('in', texts).process<string, string>(
    () => {
      let context: Context;
      return {
        init(given) {
          context = given;
        },
        process({ key, value }) {
          const boxes = context.keyValueStore<string, Box>('boxes');
          if (value === 'delete') boxes.put(key, null as never);
          else {
            const box = { n: Number(value) };
            boxes.put(key, box);
            boxes.put(`${key}-too`, box);
            box.n = -1;
            boxes.get(key)!.n = -2;
          }
        },
      };
    },
    { stores: ['boxes'] },
  );
  for (const caching of [false, true]) {
    const driver = await TextDriver.of(builder, { caching });
    await driver.pipe('in', 'a 1 @1', 'b 2 @2', 'b delete @3');
    t.deepEqual(await driver.rows('boxes'), ['a {"n":1} @1', 'a-too {"n":1} @1', 'b-too {"n":2} @2']);
  }
});

test('a selector of a table that gives no pair leaves the row out of all groups', async (t) => {
  for (const none of [null, undefined]) {
    const builder = new StreamsBuilder();
    builder
      .table('in', { name: 'rows', ...texts })
      .groupBy((_key, value) => (value === 'none' ? (none as never) : [value, value]), texts)
      .count({ name: 'counts' });
    const driver = await TextDriver.of(builder);
    await driver.pipe('in', 'a x @1', 'b none @2', 'c x @3', 'a none @4', 'b y @5');
    t.deepEqual(await driver.rows('counts'), ['x 1 @4', 'y 1 @5']);
  }
});

test('nodes that no record would reach, and names that no topic can have, are refused', (t) => {
  const refused = (build: (topology: Topology) => unknown, message: RegExp): void => {
    const topology = new Topology().addSource('source', 'in', texts);
    const error = t.throws(() => build(topology)) as StreamsError;
    t.is(error.code, 'STREAMS_TOPOLOGY');
    t.regex(error.message, message);
  };
  refused((topology) => topology.addProcessor('p', () => ({ process() {} }), []), /node p has no parent/);
  refused((topology) => topology.addSink('s', 'out', [], texts), /node s has no parent/);
  for (const name of ['a b', 'a/b', '.', '..', 'é', 'a:b', 'x'.repeat(250), 'a\n', '']) {
    const store = { name, kind: 'key-value', ...texts, cached: true, result: true } as unknown as StoreSpec;
    refused((topology) => topology.addStateStore(store), /name/);
    refused((topology) => topology.addSink('s', name, 'source', texts), /name/);
    refused((topology) => topology.addSource('t', name, texts), /name/);
    refused((topology) => topology.addRepartition({ topic: name, changes: false }), /name/);
  }
  t.notThrows(() => new Topology().addSource('s', ['a.B_9-', 'x'.repeat(249), '...'], texts));
});
