import test from 'ava';
import { MemoryCluster } from '../../../../src/clients/memory/memory-broker.ts';
import { Serdes, StreamsBuilder } from '../../../../src/index.ts';
import { ApplicationProgress } from '../../../../src/runtime/kafka/application-progress.ts';
import { encodeTaskMetadata } from '../../../../src/runtime/kafka/task-metadata.ts';

const texts = { keySerde: Serdes.string, valueSerde: Serdes.string };

/** An application of two steps, of which only topics and positions are there. */
function application(partitions = 1) {
  const cluster = new MemoryCluster();
  cluster.createTopic('in', partitions);
  cluster.createTopic('app-first-repartition', partitions);
  cluster.createTopic('app-second-repartition', partitions);
  const builder = new StreamsBuilder();
  builder
    .stream('in', texts)
    .repartition({ ...texts, name: 'first' })
    .repartition({ ...texts, name: 'second' })
    .groupByKey()
    .count({ name: 'counts' });
  const { admin } = cluster.connect();
  const progress = new ApplicationProgress(admin, builder.build(), 'app');
  const commit = (topic: string, offset: number, metadata = '', partition = 0): Promise<void> =>
    admin.setCommitted('app', [{ topic, partition, offset, metadata }]);
  const write = (topic: string, count = 1, partition = 0): number =>
    cluster.write(
      topic,
      partition,
      Array.from({ length: count }, () => ({ key: 'a', value: '1' })),
    );
  return { progress, commit, write };
}

/** Steps of the application, one each time that somebody waits. */
function stepper(steps: (() => unknown)[]) {
  let done = 0;
  return {
    get done() {
      return done;
    },
    wait: async (): Promise<void> => {
      const step = steps[done++];
      if (step === undefined) throw new Error('it waits for what is done');
      await step();
    },
  };
}

test('inputs come by task, with what is committed of them', async (t) => {
  const { progress, commit } = application();
  await commit('in', 2, 'clocks');
  t.deepEqual(await progress.committed(), [
    {
      topic: 'in',
      partition: 0,
      subTopology: 0,
      taskId: '0_0',
      internal: false,
      committed: { offset: 2, metadata: 'clocks' },
    },
    {
      topic: 'app-first-repartition',
      partition: 0,
      subTopology: 1,
      taskId: '1_0',
      internal: true,
      committed: undefined,
    },
    {
      topic: 'app-second-repartition',
      partition: 0,
      subTopology: 2,
      taskId: '2_0',
      internal: true,
      committed: undefined,
    },
  ]);
});

test('an application has caught up when what follows from its sources is committed too, step by step', async (t) => {
  const { progress, commit, write } = application();
  write('in', 3);
  const steps = stepper([
    () => commit('in', 2),
    async () => {
      write('app-first-repartition', 2);
      await commit('in', 3);
    },
    () => commit('app-first-repartition', 1),
    async () => {
      // Written before the step above it was complete: it is waited for.
      write('app-second-repartition', 5);
      await commit('app-first-repartition', 2);
    },
    () => commit('app-second-repartition', 4),
    () => commit('app-second-repartition', 5),
  ]);
  await progress.untilCaughtUp(steps.wait);
  t.is(steps.done, 6);
});

test('records that come to the sources later are not waited for', async (t) => {
  const { progress, commit, write } = application();
  write('in', 1);
  const steps = stepper([() => write('in', 10), () => commit('in', 1)]);
  await progress.untilCaughtUp(steps.wait);
  t.is(steps.done, 2);
});

test('partitions without records need no position', async (t) => {
  const { progress, commit, write } = application(3);
  write('in', 1, 1);
  const steps = stepper([() => commit('in', 1, '', 1)]);
  await progress.untilCaughtUp(steps.wait);
  t.is(steps.done, 1);
});

test('what the wait throws ends it', async (t) => {
  const { progress, write } = application();
  write('in', 1);
  await t.throwsAsync(
    progress.untilCaughtUp(async () => {
      throw new Error('given up');
    }),
    { message: 'given up' },
  );
});

test('the time that all windowed operators have seen is the least of those that were committed', async (t) => {
  const { progress, commit } = application();
  const clocks = (operatorTimeMs: Record<string, number>): string =>
    encodeTaskMetadata({
      task: { streamTimeMs: 900, operatorTimeMs, partitionTimeMs: {}, punctuations: [], processed: 1, dropped: {} },
      globalPositions: {},
    });
  t.is(await progress.operatorTimeMs(), -1);
  await commit('in', 1, clocks({}));
  // No operator with a clock has committed yet.
  t.is(await progress.operatorTimeMs(), -1);
  await commit('app-first-repartition', 1, clocks({ a: 800, b: 700 }));
  t.is(await progress.operatorTimeMs(), 700);
  await commit('app-second-repartition', 1, clocks({ c: 600 }));
  t.is(await progress.operatorTimeMs(), 600);
  await commit('app-second-repartition', 1, 'of another program');
  t.is(await progress.operatorTimeMs(), -1);
});

test('a source topic that is not there is named', async (t) => {
  const { admin } = new MemoryCluster().connect();
  const builder = new StreamsBuilder();
  builder.stream('in', texts).to('out', texts);
  await t.throwsAsync(new ApplicationProgress(admin, builder.build(), 'app').committed(), {
    code: 'STREAMS_MISSING_SOURCE_TOPIC',
    message: /topic in/,
  });
});
