import type { Route } from '../route.ts';
import type { PageFiles } from './page-files.ts';

/** Water that falls over a weir. */
const mark = `<svg class="mark" viewBox="0 0 34 34" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round">
<path d="M2 9c2.5-2.4 4.6-2.4 7 0s4.5 2.4 7 0c1.3-1.2 2.3-1.7 3.5-1.8 3.6-.2 4.3 3 4.5 6.8.2 4.4.6 6.5 3 8"/>
<path d="M2 17c2.5-2.4 4.6-2.4 7 0s4.4 2.5 6.8.3"/>
<path d="M2 27c2.5-2.4 4.6-2.4 7 0s4.5 2.4 7 0 4.6-2.4 7 0 4.5 2.4 9 0"/>
</svg>`;

/** The page's skeleton. What it shows is filled in by its script; nothing in it comes from another server. */
export function pageHtml(title: string, routes: readonly Route[], { script, styles }: PageFiles): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<link rel="stylesheet" href="/page/${styles.name}">
<script type="module" src="/page/${script.name}"></script>
</head>
<body>
<a class="skip" href="#main" id="skip">To the content</a>
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
<nav aria-label="Views"><ul id="views"></ul></nav>
</header>
<main id="main" tabindex="-1"></main>
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
