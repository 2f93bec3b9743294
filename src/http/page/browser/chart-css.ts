/** The chart, its controls and its tooltip. */
export const chartCss: string = `
.legend {
  display: flex;
  flex-wrap: wrap;
  gap: 4px 16px;
  list-style: none;
  color: var(--soft);
  font-size: 13px;
}
.legend li {
  display: flex;
  align-items: center;
  gap: 6px;
}
.swatch {
  width: 11px;
  height: 11px;
  border-radius: 3px;
  flex: none;
}
.swatch.hatched {
  background: repeating-linear-gradient(135deg, var(--faint) 0 2px, transparent 2px 4px);
}
.swatch.series-0 {
  background: var(--series-0);
}
.swatch.series-1 {
  background: var(--series-1);
}
.swatch.series-2 {
  background: var(--series-2);
}
.swatch.series-3 {
  background: var(--series-3);
}

.controls {
  display: flex;
  flex-wrap: wrap;
  gap: 12px;
  margin-bottom: 14px;
}
.field {
  display: flex;
  flex-direction: column;
  gap: 3px;
  flex: 0 1 168px;
  min-width: 0;
}
.field span {
  color: var(--soft);
  font-size: 12.5px;
}
.field select,
.field input {
  width: 100%;
  height: 36px;
  padding: 0 10px;
  border: 1px solid var(--line);
  border-radius: 8px;
  background: var(--sunken);
  color: var(--ink);
  font: inherit;
  font-size: 14px;
}
.field select:hover,
.field input:hover {
  border-color: var(--faint);
}
.field input::placeholder {
  color: var(--faint);
}

.stage {
  position: relative;
}
.chart {
  position: relative;
  height: clamp(240px, 32vw, 340px);
  border-radius: 6px;
  touch-action: pan-y;
}
.plot {
  display: block;
  width: 100%;
  height: 100%;
}
.plot .series-0 {
  fill: var(--series-0);
}
.plot .series-1 {
  fill: var(--series-1);
}
.plot .series-2 {
  fill: var(--series-2);
}
.plot .series-3 {
  fill: var(--series-3);
}
.plot .open rect[class] {
  opacity: 0.75;
}
.hatching {
  stroke: var(--surface);
  stroke-width: 2;
  opacity: 0.65;
}
.grid {
  stroke: var(--line);
}
.base {
  stroke: var(--faint);
  opacity: 0.6;
}
.tick {
  fill: var(--soft);
  font-size: 12px;
}
.tick.year {
  fill: var(--faint);
}
.cursor {
  fill: var(--accent);
  opacity: 0.08;
}
.choosing .bar:not(.chosen) {
  opacity: 0.6;
}
.panel[aria-busy="true"] .plot {
  opacity: 0.45;
  transition: opacity 0.2s 0.15s;
}
.tip {
  position: absolute;
  top: 0;
  left: 0;
  min-width: 150px;
  padding: 9px 12px 10px;
  border: 1px solid var(--line);
  border-radius: 9px;
  background: var(--surface);
  box-shadow: 0 4px 18px rgb(0 0 0 / 16%);
  font-size: 13px;
  line-height: 1.55;
  pointer-events: none;
  white-space: nowrap;
}
.tip-head {
  margin-bottom: 3px;
  font-weight: 640;
}
.tip-row {
  display: grid;
  grid-template-columns: 11px 1fr auto;
  align-items: center;
  gap: 8px;
  color: var(--soft);
}
.tip-row b {
  padding-left: 14px;
  color: var(--ink);
  font-weight: 600;
  text-align: right;
}
.tip-total {
  margin-top: 3px;
  padding-top: 3px;
  border-top: 1px solid var(--line);
}
.tip-note {
  margin-top: 2px;
  color: var(--warn);
}
.message {
  position: absolute;
  inset: 0;
  display: flex;
  flex-direction: column;
  align-items: center;
  justify-content: center;
  gap: 12px;
  padding: 0 24px 30px;
  color: var(--soft);
  text-align: center;
}
.message.error {
  color: var(--bad);
  background: var(--surface);
}
.message button {
  height: 34px;
  padding: 0 16px;
  border: 1px solid var(--line);
  border-radius: 8px;
  background: var(--surface);
  color: var(--ink);
  font: inherit;
  font-size: 14px;
  cursor: pointer;
}
.message button:hover {
  border-color: var(--faint);
}
.foot-line {
  display: flex;
  align-items: baseline;
  justify-content: space-between;
  gap: 16px;
}
.summary {
  min-height: 22px;
  color: var(--soft);
  font-size: 13.5px;
}
.quiet {
  font-size: 13.5px;
}
details {
  margin-top: 8px;
}
details summary {
  width: max-content;
  color: var(--accent);
  font-size: 13.5px;
  cursor: pointer;
}
details .table-scroll {
  margin-top: 10px;
}
`;
