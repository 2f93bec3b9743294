import './page.css';
import type { PageSpec } from '../http/page/page-spec.ts';
import type { LiveView } from './answers.ts';
import { byId, el, write } from './dom.ts';
import { getJson } from './fetch.ts';
import { stateWords } from './format.ts';
import { LettersPanel } from './letters-view.ts';
import { ListPanel } from './list-view.ts';
import { listen } from './live.ts';
import { Overview } from './overview.ts';
import { address, place } from './place.ts';
import { RankingPanel } from './ranking-view.ts';
import { StoresPanel } from './stores-view.ts';
import { TopologyPanel } from './topology-view.ts';
import type { View } from './view.ts';

/** The badge in the head: the state in words and colour, and whether the server can be reached at all. */
function showState(state: string, final: boolean): void {
  byId('state').dataset['state'] = state;
  write(byId('state'), `${stateWords(state)}${final ? ', final' : ''}`);
}

/** A banner over the page while something is wrong: the server cannot be reached, or its engine has failed. */
function showTrouble(text: string): void {
  byId('banner').hidden = text === '';
  write(byId('banner'), text);
}

/** Says over a view what of its address cannot be shown, until something is chosen. */
const notice = el('p', { class: 'notice', role: 'status', hidden: true });

function showNotice(text: string): void {
  notice.hidden = text === '';
  write(notice, text);
}

function failureOf({ state, errors }: LiveView): string {
  if (state !== 'ERROR') return '';
  const codes = Object.keys(errors).join(', ');
  return `The engine has failed${codes === '' ? '' : ` (${codes})`}. Its log says why.`;
}

function showUnreachable(lastAt: Date | undefined): void {
  const since = lastAt === undefined ? '' : ` What you see is from ${lastAt.toLocaleTimeString('en-GB')}.`;
  showTrouble(`The server does not answer.${since} Trying again…`);
  showState('unreachable', false);
}

/** Puts the views under their addresses. Gives what shows the one that the address names. */
function navigation(views: readonly View[]): () => View {
  const links = new Map(views.map((view) => [view, el('a', { href: address(view.name) }, view.label)]));
  byId('views').replaceChildren(...[...links.values()].map((link) => el('li', {}, link)));
  return () => {
    const { view: name, query } = place();
    const view = views.find((each) => each.name === name) ?? views[0]!;
    for (const [each, link] of links) {
      if (each === view) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    if (byId('main').lastElementChild !== view.root) byId('main').replaceChildren(notice, view.root);
    const unknown = view.show(query);
    if (view.name !== name) showNotice(`There is no view “${name}” here: this is the overview.`);
    else
      showNotice(
        unknown.length === 0
          ? ''
          : `The address asks for ${unknown.join(', ')}, which is not to be had here. What is shown is what the fields say.`,
      );
    return view;
  };
}

async function start(): Promise<void> {
  const spec = await getJson<PageSpec>('/page.json');
  const views: readonly View[] = [
    new Overview(spec),
    ...(spec.rankings ?? []).map((ranking) => new RankingPanel(ranking)),
    ...(spec.lists ?? []).map((list) => new ListPanel(list)),
    new TopologyPanel(),
    new StoresPanel(),
    new LettersPanel(),
  ];
  const showPlace = navigation(views);
  let shown = showPlace();
  let state = 'RUNNING';
  const entitle = (): void => {
    const what = shown.name === '' ? '' : `${shown.label} · `;
    document.title = `${state === 'RUNNING' ? '' : `${state} · `}${what}${spec.title}`;
  };
  byId('skip').addEventListener('click', (event) => {
    // The address is the view's.
    event.preventDefault();
    byId('main').focus();
  });
  byId('main').addEventListener('change', () => showNotice(''));
  addEventListener('hashchange', () => {
    shown = showPlace();
    entitle();
    // Who works without a pointer goes on in what was opened.
    byId('main').focus({ preventScroll: true });
    scrollTo({ top: 0 });
  });
  let lastAt: Date | undefined;
  listen({
    figures(live) {
      lastAt = new Date();
      state = live.state;
      showTrouble(failureOf(live));
      showState(live.state, live.final);
      write(byId('application'), `application ${live.applicationId}`);
      entitle();
      for (const view of views) view.update(live);
    },
    problem: showTrouble,
    silence: () => showUnreachable(lastAt),
  });
}

start().catch(() => {
  showUnreachable(undefined);
  setTimeout(() => location.reload(), 3000);
});
