import test, { type ExecutionContext } from 'ava';
import { partitionOf } from '../../src/common/bytes.ts';
import { remotePart } from '../../src/http/remote-part.ts';
import type { ServedEngine } from '../../src/http/served-engine.ts';
import { createServer } from '../../src/http/server.ts';
import { migratingPart } from '../../src/runtime/parts/missing-part.ts';
import { readOnlyStore } from '../../src/runtime/parts/read-only-store.ts';
import type { FoundPart } from '../../src/runtime/parts/shared-state.ts';
import { type StorePart, wholeTime } from '../../src/runtime/parts/store-part.ts';
import { arrayPart, row, rowsIn, shown, textStore } from '../runtime/parts/byte-parts.ts';
import { fakeEngine } from './fake-engine.ts';

const partitions = [0, 1, 2, 3];
const keys = Array.from({ length: 50 }, (_, i) => `key-${i}`);
const rows = keys.map((key) => row(0, key, `of ${key}`, 5));
const spec = textStore('key-value');
const owned = (partition: number): StorePart =>
  arrayPart(
    partition,
    rows.filter(({ key }) => partitionOf(key, partitions.length) === partition),
  );

/** An instance of an application: it has some partitions, and knows where the others are. */
interface Instance {
  readonly url: string;
  readonly owns: Map<number, StorePart>;
  /** Where it believes the partitions that it doesn't have to be. */
  readonly elsewhere: Map<number, string>;
  close(): Promise<void>;
}

async function instance(t: ExecutionContext, own: readonly number[]): Promise<Instance> {
  const owns = new Map(own.map((partition) => [partition, owned(partition)]));
  const elsewhere = new Map<number, string>();
  const anyPart = (partition: number): StorePart => {
    const local = owns.get(partition);
    if (local !== undefined) return local;
    const url = elsewhere.get(partition);
    return url === undefined ? migratingPart('texts', partition) : remotePart(url, 'texts', partition);
  };
  const engine: ServedEngine = {
    ...fakeEngine(),
    storeNames: () => ['texts'],
    store: () => readOnlyStore(spec, partitions.map(anyPart)),
    shared: {
      state: () => t.fail() as never,
      localPart: (_store, partition): FoundPart => owns.get(partition),
      anyPart: (_store, partition) => anyPart(partition),
    },
  };
  const server = await createServer({
    engine,
    metrics: { text: async () => ({ body: '', contentType: 'text/plain' }) },
    port: 0,
  });
  t.teardown(() => server.close());
  return { url: server.url, owns, elsewhere, close: () => server.close() };
}

async function two(t: ExecutionContext): Promise<{ a: Instance; b: Instance }> {
  const [a, b] = await Promise.all([instance(t, [0, 2]), instance(t, [1, 3])]);
  for (const partition of [1, 3]) a.elsewhere.set(partition, b.url);
  for (const partition of [0, 2]) b.elsewhere.set(partition, a.url);
  return { a, b };
}

const partitionOfKey = (key: string): number => partitionOf(Buffer.from(key), partitions.length);

test('each instance answers for every key, and gathers ranges from all', async (t) => {
  const { a, b } = await two(t);
  for (const { url } of [a, b]) {
    for (const key of keys) {
      const response = await fetch(`${url}/stores/texts/${key}`);
      t.deepEqual(await response.json(), { key, value: `of ${key}`, timestamp: 5 });
    }
    const lines = (await (await fetch(`${url}/stores/texts`)).text()).trimEnd().split('\n');
    t.deepEqual(
      lines.map((line) => (JSON.parse(line) as { key: string }).key),
      [...keys].sort(),
    );
  }
});

test('a command that knows one instance reads all partitions through it', async (t) => {
  const { a } = await two(t);
  const { fromMs, toMs } = wholeTime;
  for (const partition of partitions) {
    const through = remotePart(a.url, 'texts', partition, { scope: 'all' });
    t.deepEqual(
      shown(await rowsIn(through.rows(fromMs, toMs))),
      shown(await rowsIn(owned(partition).rows(fromMs, toMs))),
    );
  }
});

test('while a partition moves, its keys and ranges are 503 with Retry-After at every instance, all else is answered', async (t) => {
  const { a, b } = await two(t);
  b.owns.delete(3);
  const key = keys.find((each) => partitionOfKey(each) === 3)!;
  for (const { url } of [a, b]) {
    for (const path of [`/stores/texts/${key}`, '/stores/texts']) {
      const response = await fetch(url + path);
      t.is(response.status, 503, path);
      t.is(response.headers.get('retry-after'), '1');
      t.is(((await response.json()) as { code: string }).code, 'STREAMS_TASK_MIGRATED');
    }
    const other = keys.find((each) => partitionOfKey(each) === 1)!;
    t.is((await fetch(`${url}/stores/texts/${other}`)).status, 200);
  }
  // It has arrived at the other instance, and who is asked knows.
  a.owns.set(3, owned(3));
  b.elsewhere.set(3, a.url);
  for (const { url } of [a, b]) t.is((await fetch(`${url}/stores/texts/${key}`)).status, 200);
});

test('an instance that died makes its partitions 503, not absent', async (t) => {
  const { a, b } = await two(t);
  await b.close();
  for (const key of keys) {
    const response = await fetch(`${a.url}/stores/texts/${key}`);
    if (a.owns.has(partitionOfKey(key))) {
      t.is(response.status, 200);
      continue;
    }
    t.is(response.status, 503);
    t.is(response.headers.get('retry-after'), '1');
    t.is(((await response.json()) as { code: string }).code, 'STREAMS_TIMEOUT');
  }
  t.is((await fetch(`${a.url}/stores/texts`)).status, 503);
});
