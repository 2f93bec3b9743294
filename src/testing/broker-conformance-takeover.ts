import assert from 'node:assert/strict';
import type { Broker, BrokerProducer } from '../clients/broker.ts';
import { StreamsError } from '../common/errors.ts';
import {
  appendValues,
  type BrokerCase,
  type BrokerKit,
  fails,
  place,
  position,
  textOf,
} from './broker-conformance-kit.ts';

/** An output of two partitions, a source whose positions are committed, and an id that owners take over from each other. */
interface Task {
  readonly output: string;
  readonly source: string;
  readonly group: string;
  readonly transactionalId: string;
}

async function newTask(kit: BrokerKit): Promise<Task> {
  return {
    output: await kit.topic(2),
    source: await kit.topic(),
    group: kit.name('group'),
    transactionalId: kit.name('id'),
  };
}

async function owner(kit: BrokerKit, { transactionalId }: Task): Promise<{ broker: Broker; producer: BrokerProducer }> {
  const broker = await kit.connect();
  return { broker, producer: await kit.producer({ transactionalId }, broker) };
}

/** Work up to a position: a record in each output partition, told as sent but not committed. */
async function send(producer: BrokerProducer, { output }: Task, upTo: number): Promise<void> {
  for (const partition of [0, 1]) appendValues(producer, output, partition, [`up to ${upTo}`]);
  await producer.flush();
}

async function commit(producer: BrokerProducer, task: Task, upTo: number): Promise<void> {
  await producer.commit(task.group, [position(task.source, 0, upTo, `clock ${upTo}`)]);
}

/**
 * What a new owner finds right after `init`, without any waiting: both outputs hold work up to the same positions, the last of which is the one committed, and
 * nothing is open.
 */
async function found(kit: BrokerKit, { output, source, group }: Task): Promise<readonly number[]> {
  const { admin } = await kit.main();
  const places = [place(output, 0), place(output, 1)];
  const stable = await admin.offsets(places, 'stable');
  assert.deepEqual(stable, await admin.offsets(places, 'latest'), 'nothing is open after init');
  const committed = await kit.committed(group, place(source));
  const [first, second] = await Promise.all(
    [0, 1].map(async (partition) =>
      (await kit.recordsUpTo(output, partition, stable[partition]!)).map(({ value }) =>
        Number(textOf(value)!.slice(6)),
      ),
    ),
  );
  assert.deepEqual(first, second, 'a transaction is in all its partitions or in none');
  assert.equal(committed?.offset, first!.at(-1), 'the committed position agrees with the records');
  assert.equal(committed?.metadata, committed && `clock ${committed.offset}`);
  return first!;
}

/** A stopped owner that goes on does nothing any more. */
async function isFenced(producer: BrokerProducer, task: Task): Promise<void> {
  appendValues(producer, task.output, 0, ['from a zombie']);
  await fails(commit(producer, task, 99), 'STREAMS_TASK_MIGRATED');
}

/** Taking a task over: each step, against an owner that is alive, stopped or in the middle of its commit. */
export const takeoverCases: readonly BrokerCase[] = [
  [
    'a new owner ends the open transaction of the old one: its records are never seen, and its calls fail with STREAMS_TASK_MIGRATED',
    async (kit) => {
      const doings: readonly ((old: BrokerProducer, task: Task) => Promise<unknown>)[] = [
        (old) => old.flush(),
        (old) => old.commit(),
        (old, task) => commit(old, task, 9),
      ];
      for (const doing of doings) {
        const task = await newTask(kit);
        const old = await owner(kit, task);
        await send(old.producer, task, 1);
        await commit(old.producer, task, 1);
        await send(old.producer, task, 2);
        const fresh = await owner(kit, task);
        assert.deepEqual(await found(kit, task), [1]);
        appendValues(old.producer, task.output, 0, ['late']);
        await fails(doing(old.producer, task), 'STREAMS_TASK_MIGRATED');
        await fails(old.producer.commit(), 'STREAMS_TASK_MIGRATED');
        await send(fresh.producer, task, 3);
        await commit(fresh.producer, task, 3);
        const next = await owner(kit, task);
        assert.deepEqual(await found(kit, task), [1, 3]);
        await next.producer.close();
      }
    },
  ],
  [
    'what the old owner has committed is there when the new one has been initialised',
    async (kit) => {
      const task = await newTask(kit);
      for (let upTo = 1; upTo <= 12; upTo++) {
        const { producer } = await owner(kit, task);
        assert.deepEqual(
          await found(kit, task),
          Array.from({ length: upTo - 1 }, (_, i) => i + 1),
        );
        await send(producer, task, upTo);
        await commit(producer, task, upTo);
      }
    },
  ],
  [
    'a new owner that is initialised while the old one commits finds the transaction wholly or not at all',
    async (kit) => {
      const task = await newTask(kit);
      const expected: number[] = [];
      for (let round = 1; round <= 12; round++) {
        const old = await owner(kit, task);
        await send(old.producer, task, round);
        const committing = commit(old.producer, task, round).then(
          () => true,
          (error: unknown) => {
            assert.ok(StreamsError.is(error) && error.code === 'STREAMS_TASK_MIGRATED', String(error));
            return false;
          },
        );
        // Nearer to the end of the commit from round to round.
        if (round % 2 === 0) await kit.sleep(round / 2);
        else for (let turn = 2; turn < round; turn++) await new Promise((resolve) => setImmediate(resolve));
        await owner(kit, task);
        const work = await found(kit, task);
        const isThere = work.at(-1) === round;
        if (await committing) assert.ok(isThere, 'what was confirmed is there');
        if (isThere) expected.push(round);
        assert.deepEqual(work, expected);
        await isFenced(old.producer, task);
      }
    },
  ],
  [
    'an old owner with an empty or unsent transaction is fenced too',
    async (kit) => {
      const task = await newTask(kit);
      const idle = await owner(kit, task);
      const unsent = await owner(kit, task);
      appendValues(unsent.producer, task.output, 0, ['unsent']);
      const fresh = await owner(kit, task);
      await isFenced(idle.producer, task);
      await fails(unsent.producer.commit(), 'STREAMS_TASK_MIGRATED');
      await send(fresh.producer, task, 1);
      await commit(fresh.producer, task, 1);
      await owner(kit, task);
      assert.deepEqual(await found(kit, task), [1]);
    },
  ],
  [
    'of two that are initialised at the same time, one owns the id',
    async (kit) => {
      for (let round = 0; round < 5; round++) {
        const task = await newTask(kit);
        const old = await owner(kit, task);
        await send(old.producer, task, 1);
        const both = await Promise.allSettled([owner(kit, task), owner(kit, task)]);
        const done: boolean[] = [];
        for (const one of both) {
          if (one.status === 'rejected') continue;
          await send(one.value.producer, task, 2)
            .then(() => commit(one.value.producer, task, 2))
            .then(
              () => done.push(true),
              (error: unknown) => {
                assert.ok(StreamsError.is(error) && error.code === 'STREAMS_TASK_MIGRATED', String(error));
              },
            );
        }
        assert.deepEqual(done, [true]);
        await owner(kit, task);
        assert.deepEqual(await found(kit, task), [2]);
      }
    },
  ],
  [
    'other ids are not touched by a takeover',
    async (kit) => {
      const task = await newTask(kit);
      const other: Task = {
        ...task,
        source: await kit.topic(),
        group: kit.name('group'),
        transactionalId: kit.name('id'),
      };
      const neighbour = await owner(kit, other);
      await send(neighbour.producer, other, 7);
      await owner(kit, task);
      await owner(kit, task);
      await commit(neighbour.producer, other, 7);
      await owner(kit, other);
      assert.deepEqual(await found(kit, other), [7]);
    },
  ],
  [
    'without transactions an old owner is fenced from a partition once the new one has written to it',
    async (kit) => {
      const topic = await kit.topic();
      const transactionalId = kit.name('id');
      const init = async (): Promise<BrokerProducer> =>
        kit.producer({ transactional: false, transactionalId }, await kit.connect());
      const old = await init();
      appendValues(old, topic, 0, ['old']);
      await old.flush();
      const fresh = await init();
      appendValues(fresh, topic, 0, ['fresh']);
      await fresh.flush();
      appendValues(old, topic, 0, ['zombie']);
      await fails(old.flush(), 'STREAMS_TASK_MIGRATED');
      await fails(old.commit(), 'STREAMS_TASK_MIGRATED');
      appendValues(fresh, topic, 0, ['fresh again']);
      await fresh.commit();
      assert.deepEqual(await kit.committedValues(topic), ['old', 'fresh', 'fresh again']);
    },
  ],
  [
    'a stopped owner that had sent everything and was about to commit does not commit when it wakes',
    async (kit) => {
      const task = await newTask(kit);
      const old = await owner(kit, task);
      await send(old.producer, task, 1);
      await kit.freeze(old.broker);
      const late = commit(old.producer, task, 1);
      const failed = fails(late, 'STREAMS_TASK_MIGRATED', 'STREAMS_BROKER');
      const fresh = await owner(kit, task);
      assert.deepEqual(await found(kit, task), []);
      await send(fresh.producer, task, 2);
      await kit.thaw(old.broker);
      await failed;
      await commit(fresh.producer, task, 2);
      await owner(kit, task);
      assert.deepEqual(await found(kit, task), [2]);
    },
    'freeze',
  ],
  [
    'a stopped owner that was about to send adds nothing to the transaction of the new one when it wakes',
    async (kit) => {
      const task = await newTask(kit);
      const old = await owner(kit, task);
      await send(old.producer, task, 1);
      await kit.freeze(old.broker);
      appendValues(old.producer, task.output, 1, ['zombie']);
      const failed = fails(old.producer.flush(), 'STREAMS_TASK_MIGRATED', 'STREAMS_BROKER');
      const fresh = await owner(kit, task);
      await send(fresh.producer, task, 2);
      await kit.thaw(old.broker);
      await failed;
      await commit(fresh.producer, task, 2);
      await owner(kit, task);
      assert.deepEqual(await found(kit, task), [2]);
    },
    'freeze',
  ],
  [
    'several owners that were stopped one after the other all find themselves fenced',
    async (kit) => {
      const task = await newTask(kit);
      const stopped: { broker: Broker; producer: BrokerProducer }[] = [];
      for (let upTo = 1; upTo <= 3; upTo++) {
        const one = await owner(kit, task);
        await send(one.producer, task, upTo);
        await kit.freeze(one.broker);
        stopped.push(one);
      }
      const last = await owner(kit, task);
      assert.deepEqual(await found(kit, task), []);
      for (const { broker, producer } of stopped) {
        await kit.thaw(broker);
        await isFenced(producer, task);
      }
      await send(last.producer, task, 4);
      await commit(last.producer, task, 4);
      await owner(kit, task);
      assert.deepEqual(await found(kit, task), [4]);
    },
    'freeze',
  ],
  ...(['before', 'in', 'after'] as const).map(
    (when): BrokerCase => [
      `a connection cut ${when} the end of a transaction leaves it wholly there or wholly not`,
      async (kit) => {
        const task = await newTask(kit);
        const expected: number[] = [];
        for (let round = 1; round <= 4; round++) {
          const old = await owner(kit, task);
          await send(old.producer, task, round);
          await kit.harness.cut!(old.broker, when);
          const failure = await commit(old.producer, task, round).then(
            () => undefined,
            (error: unknown) => error,
          );
          if (failure !== undefined) {
            assert.ok(StreamsError.is(failure) && failure.code === 'STREAMS_BROKER', String(failure));
            await fails(old.producer.commit(), 'STREAMS_BROKER');
          }
          await owner(kit, task);
          const work = await found(kit, task);
          if (failure === undefined) assert.equal(work.at(-1), round, 'what was confirmed is there');
          if (work.at(-1) === round) expected.push(round);
          assert.deepEqual(work, expected);
        }
      },
      'cut',
    ],
  ),
  ...(['before', 'in', 'after'] as const).map(
    (when): BrokerCase => [
      `a connection cut ${when} the abort of a transaction leaves nothing of it`,
      async (kit) => {
        const task = await newTask(kit);
        const old = await owner(kit, task);
        await send(old.producer, task, 1);
        await kit.harness.cut!(old.broker, when);
        await old.producer.abort().catch((error: unknown) => {
          assert.ok(StreamsError.is(error) && error.code === 'STREAMS_BROKER', String(error));
        });
        await owner(kit, task);
        assert.deepEqual(await found(kit, task), []);
      },
      'cut',
    ],
  ),
];
