import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import anyTest, { type ExecutionContext, type TestFn } from 'ava';
import type { Browser, Page } from 'playwright-core';
import type { LetterSample } from '../../src/runtime/letter-sample.ts';
import { fakeEngine } from '../http/fake-engine.ts';
import { engineStats, feedProgress, kafkaStats, storeStats } from '../observability/fake-stats.ts';
import { hasChromium, launchChromium } from './helpers/chromium.ts';
import { gridOptions, serving } from './helpers/page-world.ts';

interface World {
  readonly browser: Browser;
}

const test = anyTest as TestFn<World>;
const whenChromium = hasChromium ? test.serial : test.serial.skip;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Each view, and what is there once it is loaded. */
const views: readonly (readonly [address: string, loaded: string])[] = [
  ['', '.bar'],
  ['places', 'tbody tr'],
  ['places?grouping=departement&day=2018-01-01', '.summary'],
  ['silent', 'tbody tr'],
  ['topology', '.graph-node'],
  ['stores?store=few', 'tbody tr'],
  ['stores?store=none', '.summary'],
  ['stores?store=gone', '.summary'],
  ['letters', 'tbody tr'],
];
const letter: LetterSample = {
  ...{ kind: 'dead', reason: 'date', message: 'not a date', topic: 'e', file: 'a.csv', line: 3, offset: 90 },
  ...{ text: 'x', atMs: 1000 },
};

test.before(async (t) => {
  if (hasChromium) t.context = { browser: await launchChromium() };
});
test.after.always((t) => t.context.browser?.close());

async function newPage(t: ExecutionContext<World>, more: Parameters<Browser['newPage']>[0] = {}): Promise<Page> {
  // The policy of the page lets no other script in.
  const page = await t.context.browser.newPage({ bypassCSP: true, ...more });
  t.teardown(() => page.close());
  return page;
}

/** What axe finds wrong on the page as it is: the rules of WCAG 2.2 AA, and what it recommends. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate<string[]>(
    "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map((each) => each.id + ': ' + each.nodes[0].html + ' ' + each.nodes[0].failureSummary))",
  );
}

for (const colorScheme of ['light', 'dark'] as const)
  for (const width of [1280, 390])
    whenChromium(`each view has names, roles, an order and contrast: ${colorScheme}, ${width} px`, async (t) => {
      const server = await serving(t, { ...gridOptions(), letters: [letter] });
      const page = await newPage(t, { colorScheme, viewport: { width, height: 900 } });
      for (const [address, loaded] of views) {
        await page.goto(`${server.url}/#/${address}`);
        await page.locator(loaded).first().waitFor();
        t.deepEqual(await violations(page), [], address);
      }
    });

whenChromium(
  'states that are not well are as readable: an engine that failed, instances that do not answer, a server that is gone',
  async (t) => {
    const instances = [
      { endpoint: '10.0.0.7:8080', own: true, active: ['0_0'], standby: [] },
      { endpoint: '', own: false, active: ['0_1'], standby: [] },
    ];
    const engine = {
      ...fakeEngine([], () => engineStats({ feeds: [], state: 'ERROR', errors: { STREAMS_FILE: 1 } })),
      kafka: () => kafkaStats({ instances }),
    };
    for (const colorScheme of ['light', 'dark'] as const) {
      const server = await serving(t, { engine });
      const page = await newPage(t, { colorScheme });
      await page.goto(server.url);
      await page.getByText('does not answer').waitFor();
      await page.getByText('The engine has failed (STREAMS_FILE).').waitFor();
      t.deepEqual(await violations(page), [], 'failed');
      await server.close();
      await page.getByText('The server does not answer.').waitFor();
      t.deepEqual(await violations(page), [], 'gone');
    }
  },
);

whenChromium('what is read aloud by itself stays silent while figures move', async (t) => {
  let rows = 1000;
  const stats = () => {
    rows += 500;
    const feed = feedProgress('grid-events', { rows, bytes: rows, bytesTotal: 10_000_000 });
    return engineStats({ feeds: [feed], stores: [storeStats('day-equipment', { puts: rows })] });
  };
  const server = await serving(t, { ...gridOptions(), stats, letters: [letter] });
  const page = await newPage(t);
  for (const [address, loaded] of views) {
    await page.goto('about:blank');
    await page.goto(`${server.url}/#/${address}`);
    await page.locator(loaded).first().waitFor();
    // What is said once, when the view is there.
    await page.waitForTimeout(500);
    await page.evaluate(`window.said = [];
      for (const region of document.querySelectorAll('[aria-live], [role=status], [role=alert]'))
        new MutationObserver(() => window.said.push(region.id + region.className + ': ' + region.textContent))
          .observe(region, { childList: true, characterData: true, subtree: true });`);
    // Figures come once a second.
    await page.waitForTimeout(2500);
    t.deepEqual(await page.evaluate('window.said'), [], address);
  }
});

whenChromium('whoever goes through a view with the tabulator sees where the focus is', async (t) => {
  const server = await serving(t, { ...gridOptions(), letters: [letter] });
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await newPage(t, { colorScheme });
    for (const [address, loaded] of views) {
      await page.goto(`${server.url}/#/${address}`);
      await page.locator(loaded).first().waitFor();
      const reached = new Set<string>();
      for (let i = 0; i < 25; i++) {
        await page.keyboard.press('Tab');
        const [where, seen] = await page.evaluate<[string, boolean]>(`(() => {
          const at = document.activeElement;
          if (at === document.body) return ['', true];
          const style = getComputedStyle(at);
          const box = at.getBoundingClientRect();
          const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1;
          return [at.tagName + ':' + at.textContent.slice(0, 30), outlined && box.width > 0 && box.height > 0];
        })()`);
        t.true(seen, `${address}: ${where}`);
        reached.add(where);
      }
      t.true(reached.size > 8, address);
    }
  }
});
