import test from 'ava';
import type { ApplicationSpec } from '../../src/cli/application.ts';
import { savedForm, settingsOf } from '../../src/cli/replay-settings.ts';

const spec: ApplicationSpec = {
  name: 'counts',
  version: '1.0.0',
  applicationId: 'counts',
  topic: 'words',
  defaults: { zone: 'UTC', grace: '2h' },
  tables: [],
  load: () => Promise.reject(new Error('is not needed')),
};

const defaults = { zone: 'UTC', graceMs: 7_200_000, partitions: 1, from: null, to: null, topics: 1 };

test('a new state has what is given, else the defaults', (t) => {
  t.deepEqual(settingsOf(spec, {}, undefined, 's'), defaults);
  const given = { zone: 'Asia/Tokyo', graceMs: 0, partitions: 4, from: '2018-01-01', to: undefined, topics: 2 };
  t.deepEqual(settingsOf(spec, given, undefined, 's'), { ...given, to: null });
});

test('settings come back from their saved form, which others may be added to', (t) => {
  const settings = { ...defaults, from: '2018-01-01', graceMs: 90_000 };
  const saved = savedForm(settings);
  t.deepEqual(saved, { zone: 'UTC', grace: 90_000, partitions: 1, from: '2018-01-01', to: null, topics: 1 });
  t.deepEqual(settingsOf(spec, {}, { ...saved, other: true }, 's'), settings);
  t.deepEqual(settingsOf(spec, { ...settings, to: undefined }, saved, 's'), settings);
  t.deepEqual(settingsOf(spec, {}, {}, 's'), defaults);
});

test('a setting that differs is refused with both values, as they would be typed', (t) => {
  const saved = savedForm({ ...defaults, topics: 2 });
  for (const [given, told] of [
    [
      { zone: 'Asia/Tokyo' },
      'with --zone UTC, not with --zone Asia/Tokyo. Leave --zone out, make all stores anew with --rebuild',
    ],
    [
      { graceMs: 90_000 },
      'with --grace 2h, not with --grace 90s. Leave --grace out, make all stores anew with --rebuild',
    ],
    [
      { to: '2018-01-01' },
      'without --to, not with --to 2018-01-01. Leave --to out, make all stores anew with --rebuild',
    ],
    [
      { topics: 3 },
      'with 2 folders of --events, not with 3 folders of --events. Give the same folders in the same order',
    ],
  ] as const) {
    t.throws(() => settingsOf(spec, given, saved, '/state'), {
      code: 'STREAMS_STATE_INCOMPATIBLE',
      message: `/state was made ${told}, or replay into another folder with --state.`,
    });
  }
});
