import type { Route } from '../route.ts';

/** The page's skeleton. What it shows is filled in by the browser modules; nothing in it comes from another server. */
export function pageHtml(title: string, routes: readonly Route[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<link rel="stylesheet" href="/page/page.css">
<script type="module" src="/page/main.js"></script>
</head>
<body>
<div class="wrap">
<header>
<div class="head-line">
<svg class="mark" viewBox="0 0 34 34" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round">
<path d="M2 9c2.5-2.4 4.6-2.4 7 0s4.500 2.400 7 0c1.300-1.200 2.300-1.700 3.500-1.800 3.600-.2 4.300 3 4.500 6.800.2 4.400.6 6.500 3 8"/>
<path d="M2 17c2.500-2.400 4.600-2.400 7 0s4.400 2.500 6.800.3"/>
<path d="M2 27c2.500-2.400 4.600-2.400 7 0s4.500 2.400 7 0 4.600-2.400 7 0 4.500 2.400 9 0"/>
</svg>
<div class="names">
<h1>${escapeHtml(title)}</h1>
<p class="application" id="application">&nbsp;</p>
</div>
<span class="badge" id="state" role="status">connecting</span>
</div>
<p class="banner" id="banner" role="alert" hidden></p>
<noscript><p class="banner">This page needs JavaScript. The same data is at /tasks, /stores and /metrics.</p></noscript>
</header>
<main>
<dl class="figures" id="figures" aria-label="Figures"></dl>
<div id="charts" class="charts"></div>
<div id="engine" class="engine"></div>
</main>
<footer>
<ul>
${linksTo(routes)}
</ul>
</footer>
</div>
</body>
</html>
`;
}

/** Links to the endpoints that answer without being told more. */
function linksTo(routes: readonly Route[]): string {
  return routes
    .filter(({ path }) => !path.includes(':'))
    .map(
      ({ path, summary }) =>
        `<li><a href="${escapeHtml(path)}" title="${escapeHtml(summary)}">${escapeHtml(path)}</a></li>`,
    )
    .join('\n');
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
