import type { Route } from '../route.ts';

/** Water that falls over a weir. */
const mark = `<svg class="mark" viewBox="0 0 34 34" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round">
<path d="M2 9c2.5-2.4 4.6-2.4 7 0s4.5 2.4 7 0c1.3-1.2 2.3-1.7 3.5-1.8 3.6-.2 4.3 3 4.5 6.8.2 4.4.6 6.5 3 8"/>
<path d="M2 17c2.5-2.4 4.6-2.4 7 0s4.4 2.5 6.8.3"/>
<path d="M2 27c2.5-2.4 4.6-2.4 7 0s4.5 2.4 7 0 4.6-2.4 7 0 4.5 2.4 9 0"/>
</svg>`;

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
${mark}
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
