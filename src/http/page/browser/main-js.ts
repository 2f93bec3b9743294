/** Browser module: puts the page together and keeps it fresh. */
export const mainJs: string = `
import { ChartPanel } from './chart-panel.js';
import { el, write } from './dom.js';
import { getJson, repeat } from './fetch.js';
import {
  Figures,
  feedsTable,
  instancesTable,
  positionsTable,
  showState,
  storesTable,
  tasksTable,
} from './status.js';

const pollMs = 2000;
const find = (id) => document.getElementById(id);

function panel(title, content) {
  return el('section', { class: 'panel' }, el('div', { class: 'panel-head' }, el('h2', {}, title)), content.root);
}

/** A banner over the page while something is wrong: the server cannot be reached, or its engine has failed. */
function showTrouble(text) {
  const banner = find('banner');
  banner.hidden = text === '';
  write(banner, text);
}

function failureOf({ state, errors }) {
  if (state !== 'ERROR') return '';
  const codes = Object.keys(errors).join(', ');
  return 'The engine has failed' + (codes === '' ? '' : ' (' + codes + ')') + '. Its log says why.';
}

function showUnreachable(lastAt) {
  const since = lastAt === undefined ? '' : ' What you see is from ' + lastAt.toLocaleTimeString('en-GB') + '.';
  showTrouble('The server does not answer.' + since + ' Trying again…');
  showState(find('state'), 'unreachable', false);
}

async function start() {
  const spec = await getJson('/page.json');
  const figures = new Figures(find('figures'), spec.zone);
  const tasks = tasksTable(spec.zone);
  const feeds = feedsTable();
  const stores = storesTable();
  const positions = positionsTable();
  const instances = instancesTable();
  const feedsPanel = panel('Inputs', feeds);
  const kafkaPanels = [panel('Positions', positions), panel('Instances', instances)];
  const charts = spec.charts.map((chart) => new ChartPanel(chart));
  find('charts').append(...charts.map((chart) => chart.root));
  find('engine').append(panel('Tasks', tasks), feedsPanel, ...kafkaPanels, panel('Stores', stores));
  find('engine').lastChild.classList.add('full');

  let lastAt;
  repeat(pollMs, async () => {
    try {
      const signal = AbortSignal.timeout(10000);
      const [view, storesView] = await Promise.all([getJson('/tasks', signal), getJson('/stores', signal)]);
      lastAt = new Date();
      showTrouble(failureOf(view));
      showState(find('state'), view.state, view.final);
      write(find('application'), 'application ' + view.applicationId);
      document.title = (view.state === 'RUNNING' ? '' : view.state + ' · ') + spec.title;
      figures.update(view);
      tasks.update(view.tasks);
      feeds.update(view.feeds);
      feedsPanel.hidden = view.feeds.length === 0;
      for (const each of kafkaPanels) each.hidden = view.kafka === undefined;
      if (view.kafka !== undefined) {
        positions.update(view.kafka.inputs);
        instances.update(view.kafka.instances);
      }
      stores.update(storesView.stores);
    } catch (error) {
      console.error(error);
      showUnreachable(lastAt);
    }
  });
  for (const chart of charts) chart.start();
}

start().catch((error) => {
  console.error(error);
  showUnreachable();
  setTimeout(() => location.reload(), 3000);
});
`;
