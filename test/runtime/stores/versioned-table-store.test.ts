import test from 'ava';
import type { StoreSpec } from '../../../src/processor/node.ts';
import { VersionedTableStore } from '../../../src/runtime/stores/versioned-table-store.ts';
import { stringSerde } from '../../../src/serde/serdes.ts';
import type { Database } from '../../../state/database.ts';
import { openMemoryDatabase } from '../../../state/memory-database.ts';
import { Random } from '../../parity/random-input.ts';

/** What was put of one key, by the moment from which it is valid. As of a moment the value is that of the greatest moment not after it. */
type Puts = Map<number, string | undefined>;

function asOf(puts: Puts, moment: number): string | undefined {
  const latest = [...puts.keys()].filter((validFrom) => validFrom <= moment).sort((a, b) => b - a)[0];
  return latest === undefined ? undefined : puts.get(latest);
}

const spec = { name: 'versions', kind: 'versioned', keySerde: stringSerde, valueSerde: stringSerde } as StoreSpec;
const storeOver = (database: Database): VersionedTableStore =>
  new VersionedTableStore(spec, database, Uint8Array.of(1), { keepsVersions: true, cacheBytes: 0, global: false });

async function flush(store: VersionedTableStore, database: Database): Promise<void> {
  const batch = database.batch();
  store.flush(batch);
  await batch.write({ sync: false });
}

/** The values as of these moments after puts `A@10`, `-@20`: `-` deletes. */
async function valuesAsOf(puts: readonly string[], moments: readonly number[], commits: boolean): Promise<string[]> {
  const database = await openMemoryDatabase();
  let store = storeOver(database);
  for (const put of puts) {
    const [value, moment] = put.split('@') as [string, string];
    store.put('k', value === '-' ? undefined : value, Number(moment));
    if (!commits) continue;
    await flush(store, database);
    store = storeOver(database);
  }
  return moments.map((moment) => (store.get('k', moment) as string | undefined) ?? '-');
}

for (const commits of [false, true]) {
  const when = commits ? ', with a restart after each put' : '';

  test(`a version that says nothing new bounds one that comes late${when}`, async (t) => {
    t.deepEqual(await valuesAsOf(['A@10', 'A@20', 'B@15'], [12, 17, 25, 35], commits), ['A', 'B', 'A', 'A']);
    t.deepEqual(await valuesAsOf(['A@20', 'A@10', 'B@15'], [12, 17, 25], commits), ['A', 'B', 'A']);
  });

  test(`a deletion of what is deleted bounds a version that comes late${when}`, async (t) => {
    const puts = ['A@10', '-@20', '-@30', 'B@22'];
    t.deepEqual(await valuesAsOf(puts, [12, 17, 25, 35], commits), ['A', 'A', 'B', '-']);
  });

  test(`a deletion of what never was bounds a version that comes late${when}`, async (t) => {
    t.deepEqual(await valuesAsOf(['-@30', 'B@22'], [21, 22, 29, 30, 99], commits), ['-', 'B', 'B', '-', '-']);
    t.deepEqual(await valuesAsOf(['A@10', '-@10', '-@30', 'B@20'], [10, 20, 30], commits), ['-', 'B', '-']);
  });
}

test('as of each moment the value is that of the latest version before it, whatever the order of puts and restarts', async (t) => {
  const seed = process.env.SEED ?? String(Date.now());
  t.log(`SEED=${seed}`);
  const random = new Random(seed);
  for (let round = 0; round < 200; round++) {
    const database = await openMemoryDatabase();
    let store = storeOver(database);
    const model = new Map(['a', 'b'].map((key) => [key, new Map() as Puts]));
    for (let put = 0; put < 25; put++) {
      const key = random.of([...model.keys()]);
      const validFrom = random.below(12);
      const value = random.of(['A', 'B', undefined]);
      const before = new Map(model.get(key)!);
      model.get(key)!.set(validFrom, value);
      const changed = store.put(key, value, validFrom);
      for (let moment = 0; moment <= 13; moment++) {
        const differs = asOf(before, moment) !== asOf(model.get(key)!, moment);
        const told = changed.some(({ fromMs, toMs }) => fromMs <= moment && moment < toMs);
        t.is(told, differs, `round ${round}, put ${put}: told of a change as of ${moment}`);
      }
      if (random.chance(30)) await flush(store, database);
      if (random.chance(15)) {
        await flush(store, database);
        store = storeOver(database);
      }
      for (const [each, puts] of model) {
        t.is(store.latest(each), asOf(puts, Number.POSITIVE_INFINITY), `round ${round}, put ${put}: latest`);
        for (let moment = 0; moment <= 13; moment++)
          t.is(store.get(each, moment), asOf(puts, moment), `round ${round}, put ${put}: ${each} as of ${moment}`);
      }
    }
    await database.close();
  }
});

test('a history replaced by one of the same values has the bounds of the new one', (t) => {
  return openMemoryDatabase().then((database) => {
    const store = storeOver(database);
    store.replaceHistory('k', [{ validFromMs: 10, value: 'A' }]);
    t.deepEqual(
      store.replaceHistory(
        'k',
        [10, 20].map((validFromMs) => ({ validFromMs, value: 'A' })),
      ),
      [],
    );
    t.deepEqual(store.put('k', 'B', 15), [{ fromMs: 15, toMs: 20 }]);
  });
});
