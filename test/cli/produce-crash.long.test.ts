import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import type { Broker } from '../../src/clients/broker.ts';
import { messagesFrom, ProduceWorld, readings, rowsFrom, until } from './fixtures/produced.ts';

const often = '--set commit.interval.records=7';

/** Three files of twenty rows each and a bad one, of which commits take 7. */
function threeFiles(world: ProduceWorld): void {
  for (let file = 0; file < 3; file++) {
    const rows = rowsFrom(20 * file, 20);
    rows.splice(10, 0, `bad ${file},bad,x`);
    world.write(`${file}.csv`, readings(...rows));
  }
}

const letters = [0, 1, 2].map((file) => `${file}.csv:12 date bad ${file},bad,x`);

/** Runs until the client has sent so many requests, and then as if killed; undefined if it got to its end. */
async function killedAt(
  world: ProduceWorld,
  request: number,
  line: string,
): Promise<ReturnType<ProduceWorld['start']> | undefined> {
  let left = request;
  let killed = false;
  const producing = world.start(line);
  world.onRequest = (client: Broker) => {
    if (client !== producing.broker || killed || left-- > 0) return;
    killed = true;
    world.cluster.pause(client);
  };
  let over = false;
  void producing.ended.then(() => {
    over = true;
  });
  await until(() => over || killed);
  world.onRequest = () => {};
  return killed ? producing : undefined;
}

test('a run that stops at any of its requests loses nothing and doubles nothing', async (t) => {
  t.timeout(120_000);
  let killed = 0;
  const round = async (request: number): Promise<void> => {
    const world = new ProduceWorld(t);
    threeFiles(world);
    const line = `${often} --move-done ${world.done}`;
    const first = await killedAt(world, request, line);
    if (first !== undefined) {
      killed++;
      const { code, stderr } = await world.run(line);
      t.is(code, 0, `request ${request}: ${stderr}`);
    }
    t.deepEqual(await world.messages(), messagesFrom(0, 60), `request ${request}`);
    t.deepEqual(world.letters(), letters, `request ${request}`);
    t.deepEqual(readdirSync(world.events), [], `request ${request}`);
    t.deepEqual(readdirSync(world.done).sort(), ['0.csv', '1.csv', '2.csv'], `request ${request}`);
    if (first === undefined) return;
    // It was only stopped, and wakes: it is not the one that may write any more.
    world.cluster.resume(first.broker);
    const { code, stderr } = await first.ended;
    if (code !== 0) {
      t.is(code, 1, stderr);
      t.true(stderr.includes('STREAMS_TASK_MIGRATED: another produce'), `request ${request}: ${stderr}`);
    }
    t.deepEqual(await world.messages(), messagesFrom(0, 60), `request ${request}, awake`);
    t.deepEqual(world.letters(), letters, `request ${request}, awake`);
  };
  for (let from = 0; killed === from; from += 20) {
    await Promise.all(Array.from({ length: 20 }, (_, i) => round(from + i)));
  }
  t.log(`killed at each of ${killed} requests`);
  t.true(killed > 30, `${killed}`);
});

for (const request of ['Produce', 'EndTxn', 'InitProducerId'] as const) {
  for (const when of ['before', 'in', 'after'] as const) {
    test(`a connection that is cut ${when} ${request} is recreated, and the run goes on from what is committed`, async (t) => {
      const world = new ProduceWorld(t);
      threeFiles(world);
      const producing = world.start(often);
      let nth = 0;
      world.onRequest = (client, name) => {
        // The second one, and then the fourth of the session that follows.
        if (name !== request || ![1, 5].includes(nth++)) return;
        world.cluster.cut(client, when, request);
      };
      if (request === 'InitProducerId') world.cluster.cut(producing.broker, when, request);
      const { code, stderr } = await producing.ended;
      t.is(code, 0, stderr);
      t.deepEqual(await world.messages(), messagesFrom(0, 60));
      t.deepEqual(world.letters(), letters);
      if (when !== 'after') t.true(stderr.includes('going on from what is committed'), stderr);
    });
  }
}

test('a cluster that is down for a while is waited for', async (t) => {
  const world = new ProduceWorld(t);
  world.write('a.csv', readings(...rowsFrom(0, 50)));
  const producing = world.start(`--follow ${often}`);
  await until(() => world.count === 50);
  world.cluster.down();
  world.write('b.csv', readings(...rowsFrom(50, 50)));
  await delay(500);
  world.cluster.up();
  await until(() => world.count === 100);
  producing.signal('SIGTERM');
  t.is((await producing.ended).code, 0);
  t.deepEqual(await world.messages(), messagesFrom(0, 100));
});

test('a broker that stays away ends the run when task.timeout.ms is over', async (t) => {
  const world = new ProduceWorld(t);
  world.write('a.csv', readings('one,1,x'));
  const producing = world.start('--follow --set task.timeout.ms=300', 100);
  await until(() => world.count === 1);
  world.cluster.down();
  world.append('a.csv', 'two,2,x\n');
  const { code, stderr } = await producing.ended;
  t.is(code, 1);
  t.true(stderr.includes('STREAMS_BROKER: '), stderr);
  world.cluster.up();
  await world.good(t);
  t.deepEqual(await world.messages(), ['one=one,1,x@1', 'two=two,2,x@2']);
});

test('of two runs at a time the older one ends, and the newer goes on', async (t) => {
  const world = new ProduceWorld(t);
  world.write('a.csv', readings(...rowsFrom(0, 30), 'bad,bad,x'));
  const older = world.start('--follow');
  await until(() => world.count === 30);
  const newer = world.start('--follow');
  await until(() => newer.stderr.text.includes('produce: ') || newer.stderr.text === '');
  let ended = false;
  void older.ended.then(() => {
    ended = true;
  });
  for (let i = 0; !ended; i++) {
    world.write(`b-${i}.csv`, readings(`n${30 + i},${30 + i},x`, 'bad,bad,x'));
    await delay(50);
    if (i > 500) throw new Error(`the older one goes on: ${older.stderr.text}`);
  }
  const { code, stderr } = await older.ended;
  t.is(code, 1);
  t.true(stderr.includes('STREAMS_TASK_MIGRATED: another produce sends to this topic now'), stderr);
  const files = readdirSync(world.events).length - 1;
  await until(() => world.count === 30 + files);
  newer.signal('SIGTERM');
  t.is((await newer.ended).code, 0);
  t.deepEqual((await world.messages()).sort(), messagesFrom(0, 30 + files).sort());
  t.is(world.letters().length, 1 + files);
  t.is(new Set(world.letters()).size, 1 + files);
});

test('a run that was stopped for longer than a transaction may take goes on', async (t) => {
  const world = new ProduceWorld(t);
  threeFiles(world);
  const line = `${often} --set transaction.timeout.ms=1000`;
  // In the middle of a transaction: behind its records, before its end.
  let produced = 0;
  let stopped = false;
  const producing = world.start(line);
  world.onRequest = (client, name) => {
    if (name === 'EndTxn' && ++produced === 4) {
      stopped = true;
      world.cluster.pause(client);
    }
  };
  await until(() => stopped);
  await delay(1500);
  world.cluster.resume(producing.broker);
  const { code, stderr } = await producing.ended;
  t.is(code, 0, stderr);
  t.true(stderr.includes('going on from what is committed'), stderr);
  t.deepEqual(await world.messages(), messagesFrom(0, 60));
  t.deepEqual(world.letters(), letters);
});
