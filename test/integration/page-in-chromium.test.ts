import anyTest, { type TestFn } from 'ava';
import type { Browser, Page } from 'playwright-core';
import type { RunningServer } from '../../src/http/running-server.ts';
import { createServer } from '../../src/http/server.ts';
import { createMetrics } from '../../src/observability/registry.ts';
import type { EngineStats } from '../../src/runtime/engine-stats.ts';
import { gridPage } from '../../topologies/grid/statistics/grid-page.ts';
import { NameLookup } from '../../topologies/grid/statistics/name-lookup.ts';
import { statisticsRoutes } from '../../topologies/grid/statistics/statistics-routes.ts';
import { fakeEngine } from '../http/fake-engine.ts';
import { engineStats, kafkaStats } from '../observability/fake-stats.ts';
import { FakeStores, fakePark } from '../topologies/grid/statistics/fake-stores.ts';
import { complaintsOf, hasChromium, launchChromium } from './helpers/chromium.ts';

interface World {
  readonly browser: Browser;
  readonly server: RunningServer;
  readonly page: Page;
  /** What the browser complained about. */
  readonly complaints: string[];
}

const test = anyTest as TestFn<World>;
const whenChromium = hasChromium ? test.serial : test.serial.skip;

/** 40 days of which the last is open; one meter, one concentrator. */
function stores(): FakeStores {
  const all = new FakeStores('Europe/Paris');
  for (let i = 0; i < 40; i++) {
    const day = new Date(Date.UTC(2018, 0, 1 + i)).toISOString().slice(0, 10);
    all.add('day', 'type', day, 'all', 'ev_C', 100 + i);
    all.add('day', 'type', day, 'all', 'ev_K', 10);
    all.add('day', 'equipment', day, 'C:8', 'ev_C', 100 + i);
    all.add('day', 'equipment', day, 'K:1', 'ev_K', 10);
    all.add('day', 'region', day, '4', 'ev_K', 10);
  }
  return all;
}

let stats: EngineStats = engineStats();

test.beforeEach(async (t) => {
  stats = engineStats({ applicationId: 'grid', errors: {} });
  const source = {
    stores: stores().get,
    zone: 'Europe/Paris',
    finalUntilMs: () => Date.UTC(2018, 1, 9) - 1,
    names: () => new NameLookup(fakePark({ 'region:4': [{ validFromMs: 0, value: { name: 'RHONE' } }] })),
  };
  const server = await createServer({
    engine: fakeEngine([], () => stats),
    metrics: createMetrics({ stats: () => stats, version: '1', processMetrics: false }),
    routes: statisticsRoutes(source),
    page: gridPage('Europe/Paris'),
    port: 0,
  });
  const browser = await launchChromium();
  const page = await browser.newPage();
  const complaints = complaintsOf(page);
  await page.goto(server.url);
  await page.locator('.bar').first().waitFor();
  t.context = { browser, server, page, complaints };
});
test.afterEach.always(async (t) => {
  await t.context.browser?.close();
  await t.context.server?.close();
});

const control = (page: Page, name: string) => page.getByRole('combobox', { name });
const barCount = (page: Page) => page.locator('.bar').count();

whenChromium('the page shows the state, figures in the zone of the data, and a bar for each window', async (t) => {
  const { page, complaints } = t.context;
  await page.getByText('running', { exact: true }).waitFor();
  t.is(await page.title(), 'Grid statistics');
  const figures = (await page.locator('.tile').allInnerTexts()).map((text) =>
    text.split('\n').filter((line) => line.trim() !== ''),
  );
  t.deepEqual(figures[1], ['Event time', '15 Dec 2017', '00:00:00 Europe/Paris']);
  t.deepEqual(figures[2]!.slice(0, 2), ['Files', '2 / 5']);
  t.deepEqual(figures[4], ['Dead letters', '3', 'date 2 · future 1']);
  t.is(await barCount(page), 31);
  t.is(await page.locator('.bar.open').count(), 1);
  t.deepEqual(complaints, []);
});

whenChromium('bars can be read with the pointer and with the keyboard', async (t) => {
  const { page, complaints } = t.context;
  await page.locator('.chart').focus();
  await page.keyboard.press('End');
  const tip = page.locator('.tip');
  t.regex((await tip.textContent())!, /^Fri 9 Feb 2018ev_K10ev_C139All events149Still open: may grow$/);
  await page.keyboard.press('ArrowLeft');
  t.regex((await tip.textContent())!, /^Thu 8 Feb 2018/);
  t.regex((await page.locator('[aria-live]').first().textContent())!, /^Thu 8 Feb 2018: 148 events/);
  await page.keyboard.press('Escape');
  t.false(await tip.isVisible());
  const box = (await page.locator('.chart').boundingBox())!;
  await page.mouse.move(box.x + 60, box.y + 100);
  t.regex((await tip.textContent())!, /^Wed 10 Jan 2018/);
  t.deepEqual(complaints, []);
});

whenChromium('another grouping offers its keys, and the chart follows each choice', async (t) => {
  const { page, complaints } = t.context;
  const summary = page.locator('.charts .summary');
  await control(page, 'Windows').selectOption('all');
  await page.getByText('5,180 events in 40 windows, 1 Jan 2018 to 9 Feb 2018').waitFor();
  await control(page, 'Grouping').selectOption('Equipment');
  await page.getByText('4,780 events in 40 windows').waitFor();
  t.is(await control(page, 'Key').inputValue(), 'C:8');
  await control(page, 'Key').fill('K:1');
  await page.keyboard.press('Enter');
  await page.getByText('400 events in 40 windows').waitFor();
  t.regex(
    (await page.getByText('CSV', { exact: true }).getAttribute('href'))!,
    /^\/statistics\/day\/equipment\?names=true&key=K%3A1&format=csv$/,
  );
  await control(page, 'Period').selectOption('Year');
  await page.getByText('Choose a key to see its windows.').waitFor();
  t.is(await summary.textContent(), '');
  t.is(await barCount(page), 0);
  t.deepEqual(complaints, []);
});

whenChromium('a question that the server refuses is explained in its words', async (t) => {
  const { page } = t.context;
  await control(page, 'Grouping').selectOption('Equipment');
  await page.getByText('events in 31 windows').waitFor();
  await control(page, 'Key').fill('8');
  await page.keyboard.press('Enter');
  await page.getByText('A key of equipment is its type and id, such as C:8 or K:1, not "8".').waitFor();
  t.true(await page.getByRole('button', { name: 'Try again' }).isVisible());
});

whenChromium('a failed engine and a server that went away are shown, and what was seen stays', async (t) => {
  const { page, server } = t.context;
  stats = engineStats({ state: 'ERROR', errors: { STREAMS_FILE: 1 } });
  await page.getByText('The engine has failed (STREAMS_FILE). Its log says why.').waitFor();
  t.is(await page.locator('.badge').textContent(), 'failed');
  await server.close();
  await page.getByText(/^The server does not answer\. What you see is from/).waitFor();
  t.is(await page.locator('.badge').textContent(), 'unreachable');
  t.is(await barCount(page), 31);
});

whenChromium('the page fits every width from 360 to 1600 px', async (t) => {
  const { page } = t.context;
  for (const width of [360, 390, 620, 768, 1024, 1200, 1600]) {
    await page.setViewportSize({ width, height: 800 });
    t.is(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), 0, `${width} px`);
  }
});

whenChromium('a region is shown by its name', async (t) => {
  const { page } = t.context;
  await control(page, 'Grouping').selectOption('region');
  await page.getByText(/^RHONE: 310 events in 31 windows/).waitFor();
  t.deepEqual(await page.locator('datalist option').evaluateAll((all) => all.map((one) => one.getAttribute('label'))), [
    'RHONE',
  ]);
});

whenChromium(
  'on Kafka the page shows the letters of this instance, and tasks, positions and how far behind they are of all instances',
  async (t) => {
    const { browser } = t.context;
    const input = (partition: number, lag: number) => ({
      topic: 'grid-events',
      partition,
      position: 5000,
      stableEnd: 5000 + lag,
      lag,
      buffered: 0,
    });
    const kafka = kafkaStats({
      deadLetters: { date: 2 },
      lateLetters: 4,
      consumed: { 'grid-events-0': 30, 'grid-events-1': 12, 'grid-day-type-repartition-0': 100 },
      tasks: [
        {
          taskId: '0_0',
          kind: 'active',
          thread: 'counts-1-StreamThread-1',
          status: 'running',
          inputs: [input(0, 3), input(1, 4)],
        },
      ],
      instances: [
        { endpoint: '10.0.0.7:8080', own: true, active: ['0_0'], standby: ['0_1'] },
        { endpoint: '', own: false, active: ['0_1'], standby: [] },
      ],
    });
    const server = await createServer({
      engine: { ...fakeEngine([], () => engineStats({ feeds: [], errors: {} })), kafka: () => kafka },
      metrics: createMetrics({ stats: () => stats, version: '1', processMetrics: false }),
      port: 0,
    });
    t.teardown(() => server.close());
    const page = await browser.newPage();
    await page.goto(server.url);
    await page.getByText('1 of 2 tasks tell it now').waitFor();
    const figures = (await page.locator('.tile').allInnerTexts()).map((text) =>
      text.split('\n').filter((line) => line.trim() !== ''),
    );
    const figure = (name: string) => figures.find(([label]) => label?.toLowerCase() === name)?.slice(1);
    t.is(figure('records read here')?.[0], '42');
    t.deepEqual(figure('behind'), ['≥ 7', '1 of 2 tasks tell it now']);
    t.deepEqual(figure('late'), ['4', 'sent by this instance']);
    t.is(figure('dead letters')?.[0], '2');
    const rows = async (region: string): Promise<string[][]> => {
      const texts = await page.getByRole('region', { name: region }).locator('tbody tr').allInnerTexts();
      return texts.map((row) => row.split('\t').map((cell) => cell.trim()));
    };
    t.deepEqual(await rows('Positions'), [
      ['grid-events', '0', '5,000', '5,003', '3', '0_0'],
      ['grid-events', '1', '5,000', '5,004', '4', '0_0'],
    ]);
    t.deepEqual(await rows('Instances'), [
      ['10.0.0.7:8080 (this one)', 'running', '0_0', '0_1', '7', '4', '2'],
      ['without an address', 'does not answer', '0_1', 'none', '–', '–', '–'],
    ]);
    t.deepEqual(await rows('Tasks'), [
      ['0_0', '10.0.0.7:8080', 'events [0]', 'running', '100', '7', '14 Dec 2017 23:00:00', 'late 2 · future 1'],
      ['0_1', 'without an address', '–', 'unknown', '–', '–', '–', '–'],
    ]);
  },
);
