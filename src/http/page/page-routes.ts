import { jsonResponse } from '../json.ts';
import { HttpProblem } from '../problem.ts';
import type { Route } from '../route.ts';
import { pageFiles } from './page-files.ts';
import { pageHtml } from './page-html.ts';
import type { PageSpec } from './page-spec.ts';

/** The page at `/`, and what it loads. `served` are the endpoints that it links to. */
export function pageRoutes(page: PageSpec, served: readonly Route[]): readonly Route[] {
  let loading: ReturnType<typeof pageFiles> | undefined;
  const files = (): ReturnType<typeof pageFiles> => {
    loading ??= pageFiles();
    return loading;
  };
  return [
    {
      path: '/',
      summary: 'The page',
      query: {},
      // Asked for anew at each visit: the page must fit the version of the server that answers it.
      handle: async () => textResponse(pageHtml(page.title, served, await files()), 'text/html', 'no-cache'),
    },
    { path: '/page.json', summary: 'What the page shows', query: {}, handle: () => jsonResponse(page) },
    {
      path: '/page/:file',
      summary: 'Styles and script of the page',
      query: {},
      async handle({ params }) {
        const { script, styles } = await files();
        const file = [script, styles].find(({ name }) => name === params.file);
        if (file === undefined) throw new HttpProblem('HTTP_NOT_FOUND', 'The page has no such file: load it again.');
        return textResponse(file.text, file.type, 'private, max-age=31536000, immutable');
      },
    },
    { path: '/favicon.ico', summary: 'No icon', query: {}, handle: () => new Response(null, { status: 204 }) },
  ];
}

function textResponse(text: string, type: string, caching: string): Response {
  return new Response(text, { headers: { 'content-type': `${type}; charset=utf-8`, 'cache-control': caching } });
}
