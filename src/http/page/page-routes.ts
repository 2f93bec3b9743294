import { jsonResponse } from '../json.ts';
import { HttpProblem } from '../problem.ts';
import type { Route } from '../route.ts';
import { chartCss } from './browser/chart-css.ts';
import { chartJs } from './browser/chart-js.ts';
import { chartPanelJs } from './browser/chart-panel-js.ts';
import { domJs } from './browser/dom-js.ts';
import { fetchJs } from './browser/fetch-js.ts';
import { formatJs } from './browser/format-js.ts';
import { mainJs } from './browser/main-js.ts';
import { ratesJs } from './browser/rates-js.ts';
import { statusCss } from './browser/status-css.ts';
import { statusJs } from './browser/status-js.ts';
import { themeCss } from './browser/theme-css.ts';
import { pageHtml } from './page-html.ts';
import type { PageSpec } from './page-spec.ts';

/** What the page loads. Text in modules, because the build carries modules only. */
const files: ReadonlyMap<string, string> = new Map([
  ['page.css', themeCss + chartCss + statusCss],
  ['main.js', mainJs],
  ['chart-panel.js', chartPanelJs],
  ['chart.js', chartJs],
  ['dom.js', domJs],
  ['fetch.js', fetchJs],
  ['format.js', formatJs],
  ['rates.js', ratesJs],
  ['status.js', statusJs],
]);

/** The page at `/`, and what it loads. `served` are the endpoints that it links to. */
export function pageRoutes(page: PageSpec, served: readonly Route[]): readonly Route[] {
  const html = pageHtml(page.title, served);
  return [
    { path: '/', summary: 'The page', query: {}, handle: () => textResponse(html, 'text/html') },
    { path: '/page.json', summary: 'What the page shows', query: {}, handle: () => jsonResponse(page) },
    {
      path: '/page/:file',
      summary: 'Styles and scripts of the page',
      query: {},
      handle({ params }) {
        const text = files.get(params.file!);
        if (text === undefined) throw new HttpProblem('HTTP_NOT_FOUND', 'The page has no such file.');
        return textResponse(text, params.file!.endsWith('.css') ? 'text/css' : 'text/javascript');
      },
    },
    { path: '/favicon.ico', summary: 'No icon', query: {}, handle: () => new Response(null, { status: 204 }) },
  ];
}

function textResponse(text: string, type: string): Response {
  // Asked for anew at each visit: the page must fit the version of the server that answers it.
  return new Response(text, { headers: { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-cache' } });
}
