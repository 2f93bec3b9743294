import anyTest, { type ExecutionContext, type TestFn } from 'ava';
import type { Browser, Locator, Page } from 'playwright-core';
import { mostScans } from '../../src/http/scan-limit.ts';
import type { LetterSample } from '../../src/runtime/letter-sample.ts';
import { describeTopology } from '../../src/server/serve-client.ts';
import { fakeEngine } from '../http/fake-engine.ts';
import { engineStats, feedProgress, kafkaStats, storeStats } from '../observability/fake-stats.ts';
import { complaintsOf, hasChromium, launchChromium } from './helpers/chromium.ts';
import { gridOptions, markup, serving, topology } from './helpers/page-world.ts';

interface World {
  readonly browser: Browser;
}

const test = anyTest as TestFn<World>;
const whenChromium = hasChromium ? test.serial : test.serial.skip;

test.before(async (t) => {
  if (hasChromium) t.context = { browser: await launchChromium() };
});
test.after.always((t) => t.context.browser?.close());

async function opened(
  t: ExecutionContext<World>,
  url: string,
  more: Parameters<Browser['newPage']>[0] = {},
): Promise<{ readonly page: Page; readonly complaints: readonly string[] }> {
  const page = await t.context.browser.newPage(more);
  t.teardown(() => page.close());
  const complaints = complaintsOf(page);
  await page.goto(url);
  return { page, complaints };
}

/** Waits until a text is another one. Looked at from outside: the page's policy lets nobody evaluate text in it. */
async function otherText(of: Locator, first: string | null): Promise<void> {
  while ((await of.textContent()) === first) await of.page().waitForTimeout(50);
}

const cells = (page: Page, region: string): Promise<string[][]> =>
  page
    .getByRole('region', { name: region })
    .locator('tbody tr')
    .evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent ?? '')));

whenChromium('figures move without the page being loaded again', async (t) => {
  let rows = 1000;
  const server = await serving(t, { stats: () => engineStats({ feeds: [feedProgress('events', { rows: rows++ })] }) });
  const { page, complaints } = await opened(t, server.url);
  const figure = page.locator('.tile .figure').first();
  await figure.getByText(/^1,0/).waitFor();
  const first = await figure.textContent();
  await otherText(figure, first);
  t.true(await page.locator('.time-chart canvas').isVisible());
  t.deepEqual(complaints, []);
});

whenChromium('a page for which the server has no stream left asks for its figures', async (t) => {
  let rows = 1000;
  const server = await serving(t, { stats: () => engineStats({ feeds: [feedProgress('events', { rows: rows++ })] }) });
  const abort = new AbortController();
  t.teardown(() => abort.abort());
  const streams = Array.from({ length: mostScans.live }, () => fetch(`${server.url}/live`, { signal: abort.signal }));
  await Promise.all(streams);
  const { page } = await opened(t, server.url);
  const figure = page.locator('.tile .figure').first();
  await figure.getByText(/^1,0/).waitFor();
  const first = await figure.textContent();
  await otherText(figure, first);
  t.is(await page.locator('.badge').textContent(), 'running');
});

whenChromium('with a token the page works for those who have it, its stream too', async (t) => {
  const server = await serving(t, { token: 's3cret' });
  const refused = await fetch(`${server.url}/live`);
  t.is(refused.status, 401);
  const { page } = await opened(t, server.url, { httpCredentials: { username: 'me', password: 's3cret' } });
  await page.getByText('running', { exact: true }).waitFor();
  const stream = page.waitForResponse(`${server.url}/live`);
  await page.reload();
  t.is((await stream).status(), 200);
});

whenChromium('the topology shows what an edge carries, and one that stalls in red and in words', async (t) => {
  let rows = 0;
  let moving = true;
  const stats = () => {
    if (moving) rows += 500;
    return engineStats({
      feeds: [feedProgress('grid-events', { rows, bytes: 4000, bytesTotal: 10_000, filesDone: 2, filesTotal: 5 })],
      stores: [storeStats('day-equipment')],
    });
  };
  const server = await serving(t, { stats });
  const { page, complaints } = await opened(t, `${server.url}/#/topology`);
  await page.locator('.graph-line.moving').waitFor({ state: 'attached' });
  t.regex((await page.locator('.graph-label.moving').textContent())!, /\/s$/);
  t.is((await cells(page, 'Edges of the topology'))[0]!.at(-1), 'moving');
  t.is(await page.locator('.graph-line.stalled').count(), 0);
  moving = false;
  await page.locator('.graph-line.stalled').waitFor({ state: 'attached', timeout: 60_000 });
  t.is(await page.locator('.graph-line.stalled').count(), 1);
  t.is(await page.locator('.graph-label.stalled').textContent(), 'stalled');
  t.regex(
    (await cells(page, 'Edges of the topology'))[0]!.join('|'),
    /^grid-events\|day-equipment\|.*\|6\.0 kB\|stalled: no row for \d+ s$/,
  );
  t.regex(
    (await page.getByRole('status').filter({ hasText: 'stalls' }).textContent())!,
    /^grid-events → day-equipment stalls: no row for/,
  );
  // What stalls has the colour of trouble.
  const colors = 'getComputedStyle(document.querySelector(".graph-line.stalled")).stroke';
  t.is(await page.evaluate(colors), 'rgb(179, 50, 43)');
  moving = true;
  await page.locator('.graph-line.moving').waitFor({ state: 'attached' });
  t.is(await page.locator('.graph-line.stalled').count(), 0);
  t.deepEqual(complaints, []);
});

whenChromium('on Kafka the partition that stalls is named, beside others that move', async (t) => {
  let position = 100;
  const input = (partition: number, at: number) => ({
    ...{ topic: 'grid-events', partition, position: at, stableEnd: at + 50, lag: 50, buffered: 0 },
  });
  const engine = {
    ...fakeEngine([], () => engineStats({ feeds: [], errors: {} })),
    describeTopology: () => describeTopology(topology, 'json'),
    kafka: () => {
      position += 10;
      return kafkaStats({
        consumed: { 'grid-events-0': position, 'grid-events-1': 7 },
        tasks: [
          {
            taskId: '0_0',
            kind: 'active',
            thread: 'counts-1-StreamThread-1',
            status: 'running',
            inputs: [input(0, position), input(1, 7)],
          },
        ],
        instances: [
          { endpoint: '10.0.0.7:8080', own: true, active: ['0_0'], standby: [] },
          { endpoint: '', own: false, active: ['0_1'], standby: [] },
        ],
      });
    },
  };
  const server = await serving(t, { engine });
  const { page, complaints } = await opened(t, `${server.url}/#/topology`);
  await page
    .getByText(/grid-events → day-equipment stalls: partition 1 at 7 for \d+ s, 50 behind\./)
    .waitFor({ timeout: 60_000 });
  await page.getByRole('link', { name: 'Overview' }).click();
  const link = page.getByRole('link', { name: '10.0.0.7:8080' });
  t.is(await link.getAttribute('href'), 'http://10.0.0.7:8080/');
  t.deepEqual((await cells(page, 'Instances'))[1], [
    ...['without an address', 'does not answer', '0_1', 'none', '–', '–', '–'],
  ]);
  await page.getByText('An instance: it has no address at which it could be asked').waitFor();
  t.deepEqual(complaints, []);
});

whenChromium('rows of a store are found by prefix, range and key, and the address can be sent to others', async (t) => {
  const server = await serving(t);
  const { page, complaints } = await opened(t, `${server.url}/#/stores`);
  await page.getByRole('combobox', { name: 'Store' }).selectOption('few');
  await page.getByRole('combobox', { name: 'Rows' }).selectOption('Keys that begin with');
  await page.getByRole('textbox', { name: 'Beginning' }).fill('a');
  await page.keyboard.press('Enter');
  await page.getByText('2 rows', { exact: true }).waitFor();
  // What stands in a store is text, whatever it looks like.
  const found = [
    ['a', '{"n":1}', '1970-01-01T00:00:00.001Z'],
    ['ab', markup, '1970-01-01T00:00:00.001Z'],
  ];
  t.deepEqual(await cells(page, 'Rows of few'), found);
  t.is(new URL(page.url()).hash, '#/stores?store=few&by=prefix&key=a');
  const other = await opened(t, page.url());
  await other.page.getByText('2 rows', { exact: true }).waitFor();
  t.deepEqual(await cells(other.page, 'Rows of few'), found);
  await page.goto(`${server.url}/#/stores?store=few&by=key&key=${encodeURIComponent(markup)}`);
  await page.getByText('1 row', { exact: true }).waitFor();
  t.deepEqual(await cells(page, 'Rows of few'), [[markup, '3', '1970-01-01T00:00:00.001Z']]);
  await page.goto(`${server.url}/#/stores?store=windows&by=key&key=C%3A8&from=1970-01-01T00%3A00%3A01Z`);
  await page.getByText('1 row', { exact: true }).waitFor();
  t.deepEqual((await cells(page, 'Rows of windows'))[0]!.slice(0, 3), [
    'C:8',
    '1970-01-01T00:00:01Z to 1970-01-01T00:00:02Z',
    '2',
  ]);
  await page.goto(`${server.url}/#/stores?store=park`);
  await page.getByText('1970-01-01T00:00:03Z: nothing').waitFor();
  t.deepEqual(complaints, []);
});

whenChromium('ten thousand rows are shown, and that there are more is said', async (t) => {
  const server = await serving(t);
  const { page, complaints } = await opened(t, `${server.url}/#/stores?store=many&limit=10000`);
  await page.getByText('The first 10,000 rows; there are more.').waitFor({ timeout: 60_000 });
  const rows = page.getByRole('region', { name: 'Rows of many' }).locator('tbody tr');
  t.is(await rows.count(), 10_000);
  t.regex((await rows.last().textContent())!, /^k09999/);
  t.is(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), 0);
  t.deepEqual(complaints, []);
});

whenChromium(
  'a store without rows, one that is not there and a bad time are explained in the words of the server',
  async (t) => {
    const server = await serving(t);
    const { page } = await opened(t, `${server.url}/#/stores?store=none`);
    await page.getByText('There are no such rows.').waitFor();
    await page.goto(`${server.url}/#/stores?store=gone`);
    await page.getByText('There is no store "gone".').waitFor();
    await page.goto(`${server.url}/#/stores?store=windows&from=yesterday`);
    await page.getByText(/"yesterday" is not an instant; give ms since the epoch/).waitFor();
    await page.goto(`${server.url}/#/stores?store=few&by=key&key=zz`);
    await page.getByText('Store few has no key "zz".').waitFor();
    t.pass();
  },
);

whenChromium('dead and late records are shown with reason, place and content, as text', async (t) => {
  const letters: LetterSample[] = [
    {
      kind: 'dead',
      reason: 'date',
      message: 'not a date',
      topic: 'e',
      file: `${markup}.csv`,
      line: 3,
      offset: 90,
      text: markup,
      atMs: 1000,
    },
    {
      kind: 'late',
      reason: 'late',
      message: 'too late',
      topic: 'e',
      partition: 2,
      offset: 41,
      key: 'C:8',
      text: null,
      atMs: 2000,
    },
  ];
  const server = await serving(t, { letters });
  const { page, complaints } = await opened(t, `${server.url}/#/letters`);
  await page.getByText('2 of the dead or late records').waitFor();
  const rows = await cells(page, 'Dead and late records');
  t.deepEqual(rows[0]!.slice(0, 5), ['late', 'late', 'e-2@41', 'C:8: (no value)', 'too late']);
  t.deepEqual(rows[1]!.slice(0, 5), ['dead', 'date', `${markup}.csv:3`, markup, 'not a date']);
  await page.getByRole('combobox', { name: 'Kind' }).selectOption('dead');
  await page.getByText('1 of the dead records').waitFor();
  t.is(new URL(page.url()).hash, '#/letters?kind=dead');
  t.deepEqual(complaints, []);
  const empty = await opened(t, `${(await serving(t)).url}/#/letters?kind=late`);
  await empty.page.getByText('No late record was met since the last start.').waitFor();
});

whenChromium('places are ranked by their events of a day, beside the same day a week before', async (t) => {
  const server = await serving(t, gridOptions());
  const { page, complaints } = await opened(t, `${server.url}/#/places`);
  // 9 January: 180 of region 4 and 500 of region 7; 2 January: 110 and none. 680 / 110 is 518 % more.
  await page.getByText('9 Jan 2018: 680 events. A week before: 110 (+518%).').waitFor();
  t.deepEqual(await cells(page, 'Places'), [
    ['1', '7', '', '500', '0', 'new'],
    ['2', `RHONE ${markup} (4)`, '', '180', '110', '+64%'],
  ]);
  await page.goto(`${server.url}/#/places?grouping=region&day=2018-01-08`);
  await page.getByText('8 Jan 2018: 170 events. A week before: 100 (+70%).').waitFor();
  await page.getByRole('combobox', { name: 'Places' }).selectOption('Departements');
  await page.getByText('8 Jan 2018: 0 events. A week before: 0 (0%).').waitFor();
  t.is(new URL(page.url()).hash, '#/places?grouping=departement&day=2018-01-08');
  t.deepEqual(complaints, []);
});

whenChromium('meters that stand somewhere and send nothing are listed with the day of their last event', async (t) => {
  const server = await serving(t, gridOptions());
  const { page, complaints } = await opened(t, `${server.url}/#/silent`);
  await page.getByText('2 rows. Looked at 2018-01-09.').waitFor();
  const name = `RHONE ${markup}`;
  t.deepEqual(await cells(page, 'Silent meters'), [
    ['C:10', '–', name, '01', '01026', '7'],
    ['C:9', '2018-01-07', name, '01', '01026', '7'],
  ]);
  await page.getByRole('combobox', { name: 'Without an event for' }).selectOption('7 days');
  await page.getByText('1 row. Looked at 2018-01-03 to 2018-01-09.').waitFor();
  await page.getByRole('combobox', { name: 'Equipment' }).selectOption('Concentrators');
  await page.getByText('1 row. Looked at').waitFor();
  t.is(new URL(page.url()).hash, '#/silent?type=K&days=7');
  t.deepEqual(complaints, []);
});

whenChromium('an address that asks for what is not there says so, until something is chosen', async (t) => {
  const server = await serving(t, gridOptions());
  const { page, complaints } = await opened(t, `${server.url}/#/nosuch?x=1`);
  const notice = page.locator('.notice');
  await page.getByText('There is no view “nosuch” here: this is the overview.').waitFor();
  for (const [address, asked] of [
    ['?period=century&windows=31', 'period=century'],
    ['places?grouping=planet&day=2018-01-09', 'grouping=planet'],
    ['places?day=2018-02-30', 'day=2018-02-30'],
    ['places?day=31-01-2018', 'day=31-01-2018'],
    ['silent?days=1000&type=X', 'type=X, days=1000'],
    ['stores?store=few&by=odd&limit=50', 'by=odd, limit=50'],
    [`letters?kind=${encodeURIComponent(markup)}`, `kind=${markup}`],
  ] as const) {
    await page.goto(`${server.url}/#/${address}`);
    await notice.getByText(`The address asks for ${asked}, which is not to be had here.`).waitFor();
  }
  await page.getByRole('combobox', { name: 'Kind' }).selectOption('late');
  t.false(await notice.isVisible());
  await page.goto(`${server.url}/#/places?grouping=departement&day=2018-01-09`);
  await page.getByText('9 Jan 2018: ').waitFor();
  t.false(await notice.isVisible());
  t.deepEqual(complaints, []);
});

whenChromium('the keyboard reaches the content at once, and each view', async (t) => {
  const server = await serving(t, gridOptions());
  const { page } = await opened(t, server.url);
  await page.getByText('running', { exact: true }).waitFor();
  await page.keyboard.press('Tab');
  t.is(await page.evaluate('document.activeElement.textContent'), 'To the content');
  await page.keyboard.press('Enter');
  t.is(await page.evaluate('document.activeElement.id'), 'main');
  t.is(new URL(page.url()).hash, '');
  for (const [label, hash] of [
    ['Places', '#/places'],
    ['Silent meters', '#/silent'],
    ['Topology', '#/topology'],
    ['Stores', '#/stores'],
    ['Letters', '#/letters'],
  ] as const) {
    await page.getByRole('link', { name: label, exact: true }).focus();
    await page.keyboard.press('Enter');
    // Focus moves in the same turn as what is marked.
    await page.locator('nav [aria-current=page]', { hasText: label }).waitFor();
    t.is(new URL(page.url()).hash, hash);
    t.is(await page.evaluate('document.activeElement.id'), 'main');
    t.is(await page.locator('nav [aria-current=page]').textContent(), label);
    t.is(await page.title(), `${label} · Grid statistics`);
  }
  await page.goBack();
  await page.locator('nav [aria-current=page]', { hasText: 'Stores' }).waitFor();
});

whenChromium('every view fits from a phone to a wall, and light and dark', async (t) => {
  const server = await serving(t, gridOptions());
  for (const colorScheme of ['light', 'dark'] as const) {
    const { page, complaints } = await opened(t, server.url, { colorScheme });
    for (const view of ['', 'places', 'silent', 'topology', 'stores?store=few', 'letters'])
      for (const width of [360, 768, 1280, 2560, 3840]) {
        await page.setViewportSize({ width, height: 900 });
        await page.goto(`${server.url}/#/${view}`);
        await page.getByRole('heading', { level: 2 }).first().waitFor();
        t.is(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), 0, `${view} at ${width} px`);
      }
    const ground = await page.evaluate('getComputedStyle(document.body).backgroundColor');
    t.is(ground, colorScheme === 'light' ? 'rgb(243, 245, 247)' : 'rgb(14, 19, 24)');
    t.deepEqual(complaints, []);
  }
});
