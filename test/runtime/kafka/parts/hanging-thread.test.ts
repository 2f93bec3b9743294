import { EventEmitter } from 'node:events';
import test from 'ava';
import { silentLogger } from '../../../../src/common/logger.ts';
import { FurtherThreads } from '../../../../src/runtime/kafka/further-threads.ts';
import type { FromThread, ThreadLink, ToThread } from '../../../../src/runtime/kafka/thread-messages.ts';
import { engineStats, kafkaStats, taskStats } from '../../../observability/fake-stats.ts';
import { until } from '../kit.ts';

test('a thread that hangs has no task any more, its figures fall out of gauges and stay in counters, and who reads of it is told to ask again', async (t) => {
  const link = new EventEmitter() as EventEmitter & ThreadLink;
  const asked: ToThread[] = [];
  link.postMessage = (message) => {
    asked.push(message);
    if (message.kind === 'close') link.emit('exit', 0);
  };
  const threads = new FurtherThreads({
    logger: silentLogger,
    restoreListener: {},
    sessionTimeoutMs: 1,
    open: () => link,
    nameOf: String,
    counted: () => {},
    changed: () => {},
    died: () => t.fail(),
  });
  t.teardown(() => threads.close(0, undefined));
  threads.add();
  const state: FromThread = {
    kind: 'state',
    engine: engineStats({ tasks: [taskStats('0_1')], commits: 7 }),
    kafka: kafkaStats({
      generation: 3,
      threads: [{ name: '2', number: 2, active: 1, standby: 0 }],
      consumed: { 'in-1': 9 },
      storeBytes: { counts: 5 },
    }),
    ready: true,
    running: ['0_1'],
    copies: ['0_1'],
  };
  const tells = (): void => {
    link.emit('message', state);
    t.true(threads.ready);
    t.is(threads.figures.length, 1);
    t.deepEqual(threads.past, []);
  };
  tells();
  const reading = threads.having('0_1', false)!.part('counts', 1, false).get(0, new Uint8Array(1));
  await until(() => asked.some(({ kind }) => kind === 'read'), 'it is asked');
  t.like(await t.throwsAsync(reading), { code: 'STREAMS_TASK_MIGRATED' });
  t.false(threads.ready);
  t.is(threads.having('0_1', true), undefined);
  t.deepEqual(threads.figures, []);
  const [{ engine, kafka }] = threads.past as [(typeof threads.past)[0]];
  t.like(engine, { tasks: [], stores: [], commits: 7 });
  t.like(kafka, { generation: -1, threads: [], consumed: { 'in-1': 9 }, storeBytes: {} });
  tells();
});
