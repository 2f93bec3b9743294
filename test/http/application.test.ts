import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { createServer } from '../../src/http/server.ts';
import type { KafkaInstanceStats, KafkaStats } from '../../src/runtime/kafka/kafka-stats.ts';
import type { LetterSample } from '../../src/runtime/letter-sample.ts';
import { engineStats, kafkaStats, taskStats } from '../observability/fake-stats.ts';
import { fakeEngine } from './fake-engine.ts';

interface Served {
  readonly endpoint: string;
  readonly stats: { kafka: KafkaStats; tasks: readonly string[] };
}

const token = 's3cret';

async function instance(t: ExecutionContext, applicationId = 'test'): Promise<Served> {
  const stats = { kafka: kafkaStats(), tasks: [] as readonly string[] };
  const engine = {
    ...fakeEngine([], () => engineStats({ applicationId, feeds: [], tasks: stats.tasks.map((id) => taskStats(id)) })),
    kafka: () => stats.kafka,
  };
  const metrics = { text: async () => ({ body: '', contentType: 'text/plain' }) };
  const server = await createServer({ engine, metrics, port: 0, token });
  t.teardown(() => server.close());
  return { endpoint: new URL(server.url).host, stats };
}

async function asked(endpoint: string, path: string): Promise<Record<string, never[]>> {
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(`http://${endpoint}${path}`, { headers })).json() as Promise<Record<string, never[]>>;
}

const letter = (offset: number, atMs: number): LetterSample => ({
  ...{ kind: 'dead', reason: 'date', message: 'not a date', topic: 'e', partition: 0, offset, text: 'x', atMs },
});

const input = (taskId: string, lag: number) => ({
  ...{ taskId, kind: 'active' as const, thread: 'counts-1-StreamThread-1', status: 'running' as const },
  inputs: [{ topic: 'events', partition: Number(taskId.at(-1)), position: 5, stableEnd: 5 + lag, lag, buffered: 0 }],
});

test('each instance tells of all: who has which task, how far behind each is, and who does not answer', async (t) => {
  const [a, b] = [await instance(t), await instance(t)];
  const instances = (own: Served): KafkaInstanceStats[] => [
    { endpoint: b.endpoint, own: own === b, active: ['0_1', '0_10'], standby: ['0_0'] },
    { endpoint: a.endpoint, own: own === a, active: ['0_0'], standby: [] },
    { endpoint: '127.0.0.1:1', own: false, active: ['0_2'], standby: [] },
  ];
  const restore = { restored: 40, total: 100, seconds: 1 };
  a.stats.tasks = ['0_0'];
  a.stats.kafka = kafkaStats({
    instances: instances(a),
    tasks: [input('0_0', 3)],
    deadLetters: { date: 2, future: 1 },
  });
  b.stats.tasks = ['0_1'];
  b.stats.kafka = kafkaStats({
    ...{ instances: instances(b), lateLetters: 4 },
    tasks: [
      input('0_1', 4),
      { taskId: '0_10', kind: 'active', thread: 'counts-1-StreamThread-1', status: 'restoring', inputs: [], restore },
    ],
  });
  for (const of of [a, b]) {
    const { instances: all, tasks, inputs } = await asked(of.endpoint, '/application');
    const sorted = [...(all as unknown as { endpoint: string; own: boolean; problem?: string }[])].sort((x, y) =>
      x.endpoint === a.endpoint ? -1 : y.endpoint === a.endpoint ? 1 : x.endpoint === b.endpoint ? -1 : 1,
    );
    t.is((all as unknown as { own: boolean }[])[0]!.own, true, 'this one comes first');
    t.like(sorted[0], { endpoint: a.endpoint, state: 'RUNNING', behind: 3, deadLetters: 3, lateLetters: 0 });
    // 0_10 is not at work yet: so not all is known of how far b is behind.
    t.like(sorted[1], { endpoint: b.endpoint, state: 'RUNNING', behind: null, deadLetters: 0, lateLetters: 4 });
    t.like(sorted[2], { state: null, behind: null, deadLetters: null, lateLetters: null });
    t.regex(sorted[2]!.problem!, /^http:\/\/127\.0\.0\.1:1 does not answer: /);
    const none = { topics: [], processed: null, streamTimeMs: null, dropped: null, behind: null };
    t.deepEqual(
      (tasks as unknown as { taskId: string }[]).map(({ taskId }) => taskId),
      ['0_0', '0_1', '0_2', '0_10'],
    );
    t.like(tasks![0], { endpoint: a.endpoint, status: 'running', processed: 100, behind: 3 });
    t.like(tasks![1], { endpoint: b.endpoint, status: 'running', processed: 100, behind: 4 });
    t.like(tasks![2], { ...none, endpoint: '127.0.0.1:1', status: 'unknown', partition: 2 });
    t.like(tasks![3], { ...none, endpoint: b.endpoint, status: 'restoring', restore });
    t.deepEqual((inputs as unknown as { taskId: string }[]).map(({ taskId }) => taskId).sort(), ['0_0', '0_1']);
  }
});

test('letters of the application are those of all instances, each once, with where they were met', async (t) => {
  const [a, b] = [await instance(t), await instance(t)];
  const others = [b.endpoint, '127.0.0.1:1', ''].map((endpoint) => ({
    ...{ endpoint, own: false, active: [], standby: [] },
  }));
  a.stats.kafka = kafkaStats({ instances: others, letters: [letter(1, 1000)] });
  b.stats.kafka = kafkaStats({ instances: others, letters: [letter(1, 1000), letter(2, 3000)] });
  const { letters, problems } = await asked(a.endpoint, '/letters?of=application&kind=dead');
  t.deepEqual(letters, [{ ...letter(2, 3000), instance: b.endpoint }, letter(1, 1000)] as never[]);
  t.deepEqual(
    (problems as unknown as { instance: string }[]).map(({ instance: of }) => of),
    ['127.0.0.1:1', ''],
  );
  t.deepEqual((await asked(a.endpoint, '/letters')).letters, [letter(1, 1000)] as never[]);
});

test('what answers at the address of an instance that is gone is not taken for it', async (t) => {
  const own = await instance(t);
  const other = await instance(t);
  const answers: Record<string, string> = {
    nothing: '{}',
    another: JSON.stringify({
      ...(await asked(other.endpoint, '/tasks')),
      applicationId: 'another',
    }),
    none: 'null',
  };
  const instances: KafkaInstanceStats[] = [{ endpoint: own.endpoint, own: true, active: [], standby: [] }];
  for (const text of Object.values(answers)) {
    const stranger = createHttpServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(text);
    });
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    t.teardown(() => stranger.close());
    const { port } = stranger.address() as AddressInfo;
    instances.push({ endpoint: `127.0.0.1:${port}`, own: false, active: [`0_${port}`], standby: [] });
  }
  // What a program says of its own place need not be one.
  instances.push({ endpoint: 'my host:99999', own: false, active: [], standby: [] });
  // Another application of this library may have come to the address.
  const stranger = await instance(t, 'another');
  stranger.stats.kafka = kafkaStats({ letters: [letter(1, 1000)] });
  instances.push({ endpoint: stranger.endpoint, own: false, active: [], standby: [] });
  own.stats.kafka = kafkaStats({ instances });
  const { instances: all } = (await asked(own.endpoint, '/application')) as unknown as {
    readonly instances: readonly { readonly own: boolean; readonly state: string | null; readonly problem?: string }[];
  };
  t.deepEqual(
    all.map(({ state }) => state),
    ['RUNNING', null, null, null, null, null],
  );
  for (const { problem } of all.slice(1))
    t.regex(problem!, /another program answers|no instance of this version|is no address/);
  const { problems, letters } = await asked(own.endpoint, '/letters?of=application');
  t.is(problems!.length, 5);
  t.deepEqual(letters, []);
});
