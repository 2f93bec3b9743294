import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { Browser, Page } from 'playwright-core';
import { complaintsOf, hasChromium, launchChromium } from './helpers/chromium.ts';
import { KafkaApplication } from './helpers/kafka-application.ts';
import { KafkaPart, newName, until } from './helpers/kafka-clients.ts';
import { madeData } from './helpers/made-data.ts';
import { weir } from './helpers/weir.ts';

const kafka = await KafkaPart.start({
  properties: { 'group.min.session.timeout.ms': '300' },
  throughProxy: false,
});
const eventsPerDay = 2880;
const days = 4;

/** Two instances that have processed all there is. */
async function prepared(t: ExecutionContext): Promise<KafkaApplication> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-page-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const data = await madeData({ days, eventsPerDay, damage: 0, late: false, seed: 7, meters: 40, concentrators: 6 });
  const brokers = kafka.server.bootstrap;
  const topic = newName('events');
  const application = new KafkaApplication({
    ...{
      brokers,
      broker: kafka.connect({ bootstrapServers: [brokers] }),
      applicationId: newName('app'),
      folder,
      topic,
    },
    settings: ['session.timeout.ms=6000', 'heartbeat.interval.ms=500'],
    words: ['--park-topic', `${topic}-park`],
  });
  t.teardown(() => application.end(t));
  await weir(['park', 'load', '--brokers', brokers, '--park', `${data}/park`, '--topic', `${topic}-park`]);
  const produced = ['--brokers', brokers, '--events', `${data}/events`, '--topic', topic, '--partitions', '2'];
  await weir(['produce', ...produced, '--dead', join(folder, 'dead.jsonl')]);
  await application.allReady(2);
  await application.caughtUp();
  return application;
}

async function opened(t: ExecutionContext, browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage();
  t.teardown(() => page.close());
  await page.goto(url);
  return page;
}

const cells = (page: Page, region: string): Promise<string[][]> =>
  page
    .getByRole('region', { name: region, exact: true })
    .locator('tbody tr')
    .evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent ?? '')));

/** The figure and the note of a tile. */
async function tile(page: Page, name: string): Promise<readonly string[]> {
  const texts = await page.locator('.tile', { hasText: name }).locator('dd').allTextContents();
  return texts.slice(0, 2);
}

interface TaskRow {
  readonly task: string;
  readonly instance: string;
  readonly state: string;
  readonly processed: string;
  readonly behind: string;
}

async function tasksOf(page: Page): Promise<readonly TaskRow[]> {
  const rows = await cells(page, 'Tasks');
  return rows.map(([task, instance, , state, processed, behind]) => ({
    ...{ task: task!, instance: instance!, state: state!, processed: processed!, behind: behind! },
  }));
}

const host = (url: string | undefined): string => new URL(url!).host;
const numberOf = (text: string): number => Number(text.replaceAll(',', ''));
const tasks = [0, 1, 2, 3, 4, 5].flatMap((part) => [0, 1].map((partition) => `${part}_${partition}`));

/** Waits until a page says that all tasks are at work at these instances, and all was processed. */
async function wholeAt(page: Page, instances: readonly string[]): Promise<readonly TaskRow[]> {
  let rows: readonly TaskRow[] = [];
  await until(`all tasks are at work at ${instances.join(' and ')}`, async () => {
    rows = await tasksOf(page);
    const of = new Set(rows.map(({ instance }) => instance));
    return (
      of.size === instances.length &&
      instances.every((each) => of.has(each)) &&
      rows.every(({ state, behind }) => state === 'running' && behind === '0')
    );
  });
  return rows;
}

kafka.test(
  'the pages of both instances show the whole application, through a kill, a takeover and a restart, and never a false zero',
  async (t) => {
    if (!hasChromium) {
      t.pass('there is no Chromium');
      return;
    }
    const application = await prepared(t);
    const browser = await launchChromium();
    t.teardown(() => browser.close());
    const [a, b] = application.instances.map((each) => host(each!.url)) as [string, string];
    const [first, second] = [await opened(t, browser, `http://${a}/`), await opened(t, browser, `http://${b}/`)];
    const complaints = complaintsOf(first);
    for (const [page, own, other] of [
      [first, a, b],
      [second, b, a],
    ] as const) {
      const rows = await wholeAt(page, [a, b]);
      t.deepEqual(
        rows.map(({ task }) => task),
        tasks,
      );
      const read = rows.filter(({ task }) => task.startsWith('0_')).map(({ processed }) => numberOf(processed));
      t.is(read[0]! + read[1]!, days * eventsPerDay);
      t.deepEqual(await tile(page, 'Behind'), ['0', '12 tasks, 2 instances']);
      const instances = await cells(page, 'Instances');
      t.deepEqual(
        instances.map(([name, state]) => [name, state]),
        [
          [`${own} (this one)`, 'running'],
          [other, 'running'],
        ],
      );
      t.deepEqual(instances.flatMap(([, , active]) => active!.split(' ')).sort(), tasks);
      t.is((await cells(page, 'Positions')).length, 12);
    }

    // What the page says while nobody answers for the tasks of the second one.
    const seen: { readonly rows: readonly TaskRow[]; readonly behind: readonly string[] }[] = [];
    await application.kill(1);
    await first.getByRole('region', { name: 'Instances' }).getByText('does not answer').waitFor();
    await first.getByText(new RegExp(`http://${b.replaceAll('.', '\\.')} does not answer: `)).waitFor();
    await until('the other has all tasks', async () => {
      const [rows, behind] = [await tasksOf(first), await tile(first, 'Behind')];
      seen.push({ rows, behind });
      return rows.every(({ instance, state }) => instance === a && state === 'running');
    });
    t.true(seen.some(({ rows }) => rows.some(({ state }) => state === 'unknown')));
    for (const { rows } of seen)
      for (const { state, processed, behind } of rows)
        if (state === 'unknown' || state === 'moving') t.deepEqual([processed, behind], ['–', '–']);
    const gaps = seen.filter(({ behind }) => behind[1] === '6 of 12 tasks tell it now');
    t.true(gaps.length > 0);
    for (const { behind } of gaps) t.is(behind[0], '≥ 0');
    const taken = await wholeAt(first, [a]);
    const read = taken.filter(({ task }) => task.startsWith('0_')).map(({ processed }) => numberOf(processed));
    t.is(read[0]! + read[1]!, days * eventsPerDay);
    await first.getByText('12 tasks, 1 instance', { exact: true }).waitFor();
    await second.getByText(/^The server does not answer\. What you see is from/).waitFor();
    t.is(await second.locator('.badge').textContent(), 'unreachable');

    application.start(1);
    const restarted = host(await application.instances[1]!.ready());
    await wholeAt(first, [a, restarted]);
    await wholeAt(await opened(t, browser, `http://${restarted}/`), [a, restarted]);
    await first.getByText('12 tasks, 2 instances', { exact: true }).waitFor();
    // Stores are read wherever they are.
    await first.goto(`http://${a}/#/stores?store=day-equipment&limit=1000`);
    await first.getByText(/^\d+ rows$/).waitFor();
    const rows = Number((await first.getByText(/^\d+ rows$/).textContent())!.split(' ')[0]);
    const all = await (await fetch(`http://${restarted}/stores/day-equipment?limit=1000`)).text();
    t.is(rows, all.trim().split('\n').length);
    t.deepEqual(
      complaints.filter((each) => !each.includes('503')),
      [],
    );
  },
);
