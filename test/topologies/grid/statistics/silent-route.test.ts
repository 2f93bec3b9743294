import test from 'ava';
import { createApp } from '../../../../src/http/app.ts';
import type { Version } from '../../../../src/runtime/read-only-stores.ts';
import { silentRoute } from '../../../../topologies/grid/statistics/silent-route.ts';
import { fakeEngine } from '../../../http/fake-engine.ts';
import { FakeStores, fakePark } from './fake-stores.ts';

const zone = 'Europe/Paris';
const place = { commune: '01026', departement: '01', pdk: '7', region: '4' };
const always: readonly Version<unknown>[] = [{ validFromMs: 0, value: place }];

interface Answer {
  readonly rows: readonly { readonly key: string; readonly last_day: string | null }[];
  readonly note: string;
}

/** Keys by day of January 2018; the park in the order of the bytes of its keys, as its store gives it. */
async function silent(
  days: Readonly<Record<string, readonly string[]>>,
  park: Readonly<Record<string, readonly Version<unknown>[]>>,
  query = '',
  finalUntilMs = Number.POSITIVE_INFINITY,
): Promise<Answer & { readonly status: number; readonly detail?: string }> {
  const stores = new FakeStores(zone);
  for (const [day, keys] of Object.entries(days)) {
    stores.add('day', 'type', `2018-01-${day}`, 'all', 'ev_C', keys.length);
    for (const key of keys) stores.add('day', 'equipment', `2018-01-${day}`, key, 'ev_C', 1);
  }
  const route = silentRoute({ stores: stores.get, zone, finalUntilMs: () => finalUntilMs }, () => fakePark(park));
  const app = createApp({
    engine: fakeEngine(),
    metrics: { text: async () => ({ body: '', contentType: '' }) },
    routes: [route],
  });
  const response = await app.fetch(new Request(`http://localhost/silent${query}`));
  return { ...((await response.json()) as Answer), status: response.status };
}

const keys = ({ rows }: Answer): string[] => rows.map(({ key, last_day }) => `${key} ${last_day}`);

test('equipment that stands somewhere without an event of the newest day is silent, with its last day', async (t) => {
  const days = { '01': ['C:1', 'C:2'], '02': ['C:10', 'C:2'] };
  const park = { 'C:1': always, 'C:10': always, 'C:2': always, 'C:3': always };
  const answer = await silent(days, park);
  t.deepEqual(keys(answer), ['C:1 2018-01-01', 'C:3 null']);
  t.is(answer.note, 'Looked at 2018-01-02.');
});

test('with more days an event on any of them is enough', async (t) => {
  const days = { '01': ['C:1'], '02': ['C:2'], '03': ['C:3'] };
  const park = { 'C:1': always, 'C:2': always, 'C:3': always, 'C:4': always };
  t.deepEqual(keys(await silent(days, park, '?days=2')), ['C:1 2018-01-01', 'C:4 null']);
  t.deepEqual(keys(await silent(days, park, '?days=3')), ['C:4 null']);
});

test('events of equipment that the park lacks hide nobody, whatever the order of keys', async (t) => {
  const days = { '02': ['C:0', 'C:15', 'C:2', 'C:\u{FF5E}', 'C:\u{1F600}'] };
  const park = { 'C:1': always, 'C:2': always, 'C:\u{FF5E}': always, 'C:\u{1F600}': always };
  t.deepEqual(keys(await silent(days, park)), ['C:1 null']);
});

test('what was taken down, is not there yet or is of another type is not silent', async (t) => {
  const at = (date: string): number => Date.parse(`${date}T00:00:00+01:00`);
  const park = {
    'C:1': [...always, { validFromMs: at('2018-01-02'), value: undefined }],
    'C:2': [{ validFromMs: at('2018-01-03'), value: place }],
    'C:3': [{ validFromMs: at('2018-01-02'), value: place }],
    'K:1': always,
  };
  t.deepEqual(keys(await silent({ '02': ['C:9'] }, park)), ['C:3 null']);
  t.deepEqual(keys(await silent({ '02': ['C:9'] }, park, '?type=K')), ['K:1 null']);
});

test('the newest closed day counts; only where none is closed an open one', async (t) => {
  const days = { '01': ['C:1'], '02': ['C:2'] };
  const park = { 'C:1': always, 'C:2': always };
  const endOfFirst = Date.parse('2018-01-02T00:00:00+01:00');
  t.deepEqual(keys(await silent(days, park, '', endOfFirst)), ['C:2 2018-01-02']);
  t.deepEqual(keys(await silent(days, park, '', Number.NEGATIVE_INFINITY)), ['C:1 2018-01-01']);
});

test('without events there is nobody to miss, and more than a thousand are cut off in words', async (t) => {
  t.deepEqual(await silent({}, { 'C:1': always }), { rows: [], note: 'There are no events yet.', status: 200 });
  const park = Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`C:${1000 + i}`, always]));
  const answer = await silent({ '02': ['K:1'] }, park);
  t.is(answer.rows.length, 1000);
  t.is(answer.note, 'Looked at 2018-01-02. There are more.');
});

test('days that are none are refused', async (t) => {
  for (const days of ['0', '32', '1.5', 'x']) {
    const answer = await silent({}, {}, `?days=${days}`);
    t.is(answer.status, 400);
    t.is(answer.detail, 'days: give a whole number from 1 to 31.');
  }
});
