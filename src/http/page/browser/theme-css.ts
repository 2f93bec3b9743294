/** Colours for light and dark, text, head and foot of the page. */
export const themeCss: string = `
:root {
  color-scheme: light dark;
  --ground: #f3f5f7;
  --surface: #ffffff;
  --sunken: #f7f9fa;
  --ink: #17212b;
  --soft: #566371;
  --faint: #8a96a3;
  --line: #e1e6eb;
  --accent: #14708c;
  --accent-wash: #e3f1f5;
  --good: #1d7f4e;
  --good-wash: #e0f3e8;
  --warn: #94600a;
  --warn-wash: #fbf0d9;
  --bad: #b3322b;
  --bad-wash: #fbe5e3;
  --series-0: #2583a3;
  --series-1: #e3a23a;
  --series-2: #9660a8;
  --series-3: #6f8f3f;
  --shadow: 0 1px 2px rgb(23 33 43 / 5%), 0 2px 8px rgb(23 33 43 / 4%);
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0e1318;
    --surface: #161d24;
    --sunken: #131920;
    --ink: #e7edf2;
    --soft: #a0adb9;
    --faint: #71808e;
    --line: #27313b;
    --accent: #5dbbd6;
    --accent-wash: #16303a;
    --good: #5fce93;
    --good-wash: #14301f;
    --warn: #e9b759;
    --warn-wash: #35290f;
    --bad: #f2857d;
    --bad-wash: #3a1a18;
    --series-0: #47a9c8;
    --series-1: #ecb659;
    --series-2: #b985cb;
    --series-3: #9cbd66;
    --shadow: none;
  }
}
* {
  box-sizing: border-box;
}
[hidden] {
  display: none !important;
}
html {
  -webkit-text-size-adjust: 100%;
}
body {
  margin: 0;
  background: var(--ground);
  color: var(--ink);
  font:
    15px / 1.5 system-ui,
    -apple-system,
    "Segoe UI",
    Roboto,
    "Noto Sans",
    "Helvetica Neue",
    Arial,
    sans-serif;
  font-variant-numeric: tabular-nums;
}
.wrap {
  max-width: 1360px;
  margin: 0 auto;
  padding: 0 clamp(16px, 3vw, 40px);
}
a {
  color: var(--accent);
  text-decoration: none;
}
a:hover {
  text-decoration: underline;
}
:focus-visible {
  outline: 2px solid var(--accent);
  outline-offset: 2px;
  border-radius: 4px;
}
h1,
h2,
p,
dl,
dd,
ul {
  margin: 0;
  padding: 0;
}
.visually-hidden {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}

header {
  padding: 28px 0 20px;
}
.head-line {
  display: flex;
  align-items: center;
  flex-wrap: wrap;
  gap: 10px 14px;
}
.mark {
  width: 34px;
  height: 34px;
  flex: none;
  color: var(--accent);
}
.names {
  min-width: 0;
  margin-right: auto;
}
h1 {
  font-size: 21px;
  font-weight: 650;
  letter-spacing: -0.01em;
  line-height: 1.25;
}
.application {
  color: var(--soft);
  font-size: 13.5px;
  overflow-wrap: anywhere;
}
.badge {
  display: inline-flex;
  align-items: center;
  gap: 8px;
  padding: 5px 13px 5px 11px;
  border-radius: 999px;
  background: var(--line);
  color: var(--soft);
  font-size: 13.5px;
  font-weight: 600;
}
.badge::before {
  content: "";
  width: 8px;
  height: 8px;
  border-radius: 50%;
  background: currentColor;
}
.badge[data-state="RUNNING"] {
  background: var(--good-wash);
  color: var(--good);
}
.badge[data-state="REBALANCING"],
.badge[data-state="PENDING_SHUTDOWN"] {
  background: var(--warn-wash);
  color: var(--warn);
}
.badge[data-state="ERROR"],
.badge[data-state="unreachable"] {
  background: var(--bad-wash);
  color: var(--bad);
}
.banner {
  margin-top: 16px;
  padding: 10px 14px;
  border-radius: 8px;
  background: var(--bad-wash);
  color: var(--bad);
  font-size: 14px;
}

footer {
  padding: 0 0 36px;
  color: var(--soft);
  font-size: 13.5px;
}
footer ul {
  display: flex;
  flex-wrap: wrap;
  gap: 6px 20px;
  list-style: none;
}
`;
