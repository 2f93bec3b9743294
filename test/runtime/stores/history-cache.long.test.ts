import test from 'ava';
import { HistoryCache } from '../../../src/runtime/stores/history-cache.ts';
import type { History } from '../../../state/versioned-store.ts';
import { Random } from '../../parity/random-input.ts';

const historyOf = (value: string): History<string> => [{ validFromMs: 0, value }];

test('what is kept of a key is what was read last, or nothing, in whatever order keys are used, changed and forgotten', (t) => {
  const seed = process.env.SEED ?? String(Date.now());
  t.log(`SEED=${seed}`);
  const random = new Random(seed);
  const cache = new HistoryCache<string>(12_000, historyOf);
  const stored = new Map<string, string>();
  let found = 0;
  for (let step = 0; step < 20_000; step++) {
    const key = `key ${random.below(100)}`;
    if (random.chance(10)) {
      stored.set(key, `value ${random.below(30)}`);
      cache.forget(key);
      continue;
    }
    const value = stored.get(key) ?? '';
    const known = cache.get(key);
    if (known === undefined) cache.add(key, value);
    else {
      found++;
      t.is(known[0]!.value, value);
    }
  }
  t.true(found > 1000);
});

test('memory stays below what is given, and those used again stay', (t) => {
  const max = 200_000;
  const cache = new HistoryCache<string>(max, historyOf);
  for (let i = 0; i < 10_000; i++) {
    const value = `value ${i}`.padEnd(200);
    cache.add(`key ${i}`, value);
    if (i >= 5000) t.is(cache.get('key 5000')?.[0]?.value, 'value 5000'.padEnd(200));
    t.true(cache.bytes < max * 1.25, `${cache.bytes} bytes after ${i} keys`);
  }
  t.is(cache.get('key 0'), undefined);
});

test('keys with the same bytes share what is read once, and take some 30 bytes each', (t) => {
  let read = 0;
  const cache = new HistoryCache<string>(1e9, (bytes) => {
    read++;
    return historyOf(bytes);
  });
  for (let i = 0; i < 10_000; i++) cache.add(`key ${i}`, `place ${i % 10}`);
  t.is(read, 10);
  t.is(cache.get('key 9999'), cache.get('key 9'));
  t.true(cache.bytes < 10_000 * 45, `${cache.bytes} bytes`);
});

test('a million keys, a tenth of which have histories of their own, are all found again in a fifth of 256 MiB', (t) => {
  const historyAt = (i: number): string =>
    (i % 10 === 0 ? `own ${i}` : `place ${i % 5000}`).padEnd(i % 10 === 0 ? 60 : 32);
  const cache = new HistoryCache<string>((256 * 1024 * 1024) / 5, historyOf);
  for (let i = 0; i < 1_000_000; i++) cache.add(`C:${i}`, historyAt(i));
  let unlike = 0;
  for (let i = 0; i < 1_000_000; i++) if (cache.get(`C:${i}`)?.[0]?.value !== historyAt(i)) unlike++;
  t.is(unlike, 0);
});
