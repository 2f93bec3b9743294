import test from 'ava';
import { StreamsError } from '../../../../src/common/errors.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { runScheduled, scheduleOf } from '../../../../topologies/grid/import/scheduled-imports.ts';

const hourMs = 3_600_000;

/** Times at which imports began, by a clock that goes on only while somebody waits, or by `takesMs` of an import. */
async function began(
  from: string,
  to: string,
  { lastMs, takesMs = 0, failures = [] }: { lastMs?: number; takesMs?: number; failures?: readonly Error[] } = {},
): Promise<readonly string[]> {
  let nowMs = Date.parse(from);
  const stop = new AbortController();
  const times: string[] = [];
  const left = [...failures];
  await runScheduled({
    ...{ pattern: '0 5 * * *', zone: 'Europe/Paris', lastMs, logger: silentLogger, signal: stop.signal },
    now: () => nowMs,
    async wait(ms) {
      nowMs += ms;
      if (nowMs > Date.parse(to)) stop.abort();
    },
    async run() {
      times.push(new Date(nowMs).toISOString().slice(0, 16));
      nowMs += takesMs;
      const failure = left.shift();
      if (failure !== undefined) throw failure;
    },
  });
  return times;
}

test('imports begin at five in the zone, also when the clocks change', async (t) => {
  const lastMs = Date.parse('2018-03-23T12:00:00Z');
  t.deepEqual(await began('2018-03-23T12:00:00Z', '2018-03-25T12:00:00Z', { lastMs }), [
    '2018-03-24T04:00',
    '2018-03-25T03:00',
  ]);
});

test('an import that was missed is done at once, and so is the first', async (t) => {
  const lastMs = Date.parse('2018-01-29T12:00:00Z');
  t.deepEqual(await began('2018-01-30T12:00:00Z', '2018-01-30T20:00:00Z', { lastMs }), ['2018-01-30T12:00']);
  t.deepEqual(await began('2018-01-30T12:00:00Z', '2018-01-30T20:00:00Z'), ['2018-01-30T12:00']);
});

test('a time that comes while an import is under way is left out', async (t) => {
  const lastMs = Date.parse('2018-01-30T12:00:00Z');
  const times = await began('2018-01-30T12:00:00Z', '2018-02-02T12:00:00Z', { lastMs, takesMs: 30 * hourMs });
  t.deepEqual(times, ['2018-01-31T04:00', '2018-02-02T04:00']);
});

test('what may pass is tried again after a minute, then later; faults of the park wait for the next time', async (t) => {
  const lastMs = Date.parse('2018-01-30T12:00:00Z');
  const away = new StreamsError('STREAMS_DATABASE', 'away', { retriable: true });
  const faults = new StreamsError('STREAMS_INPUT_REFUSED', 'faults');
  const times = await began('2018-01-30T12:00:00Z', '2018-02-01T12:00:00Z', { lastMs, failures: [away, away, faults] });
  t.deepEqual(times, ['2018-01-31T04:00', '2018-01-31T04:01', '2018-01-31T04:03', '2018-02-01T04:00']);
});

test('what is not a schedule is refused', (t) => {
  for (const pattern of ['at five', '0 25 * * *', ''])
    t.throws(() => scheduleOf(pattern, 'Europe/Paris'), {
      instanceOf: StreamsError,
      message: /is not a schedule|never comes/,
    });
});
