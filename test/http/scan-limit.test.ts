import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { RunningServer } from '../../src/http/running-server.ts';
import { mostScans } from '../../src/http/scan-limit.ts';
import { createServer } from '../../src/http/server.ts';
import { attend, turn } from '../../src/runtime/parts/turns.ts';
import { endlessStore, fakeEngine } from './fake-engine.ts';

async function serverOf(t: ExecutionContext): Promise<{ server: RunningServer; closed: () => number }> {
  const store = endlessStore('endless');
  const server = await createServer({
    engine: { ...fakeEngine(), storeNames: () => ['endless'], store: () => store },
    metrics: { text: async () => ({ body: '', contentType: 'text/plain' }) },
    port: 0,
  });
  t.teardown(() => server.close());
  return { server, closed: () => store.closed };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(5);
}

test('so many ranges are sent at a time; one more is told to ask again, and is answered when one has ended', async (t) => {
  const { server, closed } = await serverOf(t);
  const url = `${server.url}/stores/endless`;
  const stops = Array.from({ length: mostScans.client }, () => new AbortController());
  const open = await Promise.all(stops.map(({ signal }) => fetch(url, { signal })));
  t.true(open.every(({ status }) => status === 200));

  const refused = await fetch(url);
  t.is(refused.status, 503);
  t.is(refused.headers.get('retry-after'), '1');
  t.like(await refused.json(), { code: 'HTTP_BUSY' });
  t.is((await fetch(`${server.url}/readyz`)).status, 200);
  t.is((await fetch(`${server.url}/stores/endless/1`)).status, 404, 'a single row is no scan');

  stops[0]!.abort();
  await until(() => closed() === 1);
  const last = new AbortController();
  t.is((await fetch(url, { signal: last.signal })).status, 200);
  for (const { stop } of [...stops, last].map((each) => ({ stop: () => each.abort() }))) stop();
  await until(() => closed() === mostScans.client + 1);
});

test('what has ended, was refused, or had only its head asked for, takes no place', async (t) => {
  const { server } = await serverOf(t);
  for (let i = 0; i < 2 * mostScans.client; i++) {
    t.is((await (await fetch(`${server.url}/stores/endless?limit=3`)).text()).split('\n').length, 4);
    t.is((await fetch(`${server.url}/stores/endless`, { method: 'HEAD' })).status, 200);
    t.is((await fetch(`${server.url}/stores/endless?from=1`)).status, 400);
  }
});

test('loops over rows give way: what waits is done between their turns, whatever their number', async (t) => {
  let over = false;
  let rows = 0;
  const loops = Array.from({ length: 16 }, async () => {
    while (!over) {
      const pause = turn();
      if (pause !== undefined) await pause;
      else await undefined;
      rows++;
    }
  });
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
  over = true;
  await Promise.all(loops);
  t.true(rows > 16);
});

/** Reads without an end, in turns; `rows` says how many have been read. */
function reads(t: ExecutionContext): { readonly rows: number } {
  const loop = { rows: 0 };
  let over = false;
  t.teardown(() => {
    over = true;
  });
  void (async () => {
    while (!over) {
      const pause = turn();
      await pause;
      loop.rows++;
    }
  })();
  return loop;
}

const round = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test.serial('reads are put off in rounds in which somebody comes, and in no other', async (t) => {
  // Before the reads: so each round begins with what is here, as it begins with connections and requests.
  let loop = { rows: 0 };
  let before = -1;
  let [alone, together] = [0, 0];
  let putOff = 0;
  for (let n = 0; n < 1000 && putOff < 10; n++) {
    await round();
    if (n === 0) loop = reads(t);
    else if (n % 2 === 0) {
      // What was read since the last look: somebody came then.
      together++;
      if (loop.rows === before) putOff++;
    } else {
      if (n > 1 && loop.rows > before) alone++;
      attend();
    }
    before = loop.rows;
  }
  t.is(putOff, 10, `of ${together}`);
  t.true(alone > 0);
});

test.serial('reads go on though somebody comes in every round', async (t) => {
  const loop = reads(t);
  await round();
  const { rows } = loop;
  while (loop.rows === rows) {
    attend();
    await round();
  }
  t.pass();
});
