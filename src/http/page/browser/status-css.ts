/** Figures, panels and tables, and how all of the page gives way on narrow screens. */
export const statusCss: string = `
.figures {
  display: grid;
  grid-template-columns: repeat(6, minmax(0, 1fr));
  background: var(--surface);
  border: 1px solid var(--line);
  border-radius: 12px;
  box-shadow: var(--shadow);
  overflow: hidden;
}
.tile {
  position: relative;
  container-type: inline-size;
  min-width: 0;
  padding: 16px 18px 18px;
  box-shadow: -1px -1px 0 var(--line);
}
.tile dt {
  color: var(--soft);
  font-size: 13px;
}
.tile .figure {
  margin-top: 3px;
  font-size: clamp(16px, 13cqi, 22px);
  font-weight: 620;
  letter-spacing: -0.015em;
  line-height: 1.3;
  white-space: nowrap;
  overflow: hidden;
  text-overflow: ellipsis;
}
.tile .note {
  min-height: 20px;
  color: var(--soft);
  font-size: 13px;
  overflow-wrap: anywhere;
}
.tile.attention .figure {
  color: var(--warn);
}
.tile progress {
  position: absolute;
  left: 0;
  bottom: 0;
  width: 100%;
  height: 4px;
  border: 0;
  background: transparent;
  appearance: none;
}
.tile progress::-webkit-progress-bar {
  background: var(--line);
}
.tile progress::-webkit-progress-value {
  background: var(--accent);
  transition: width 0.4s;
}
.tile progress::-moz-progress-bar {
  background: var(--accent);
}
.spark {
  position: absolute;
  left: 0;
  bottom: 0;
  width: 100%;
  height: 22px;
}
.spark-line {
  fill: none;
  stroke: var(--accent);
  stroke-width: 1.5;
  opacity: 0.55;
  vector-effect: non-scaling-stroke;
  stroke-linejoin: round;
}
.tile:has(.spark) {
  padding-bottom: 26px;
}

main {
  display: grid;
  gap: 20px;
  padding-bottom: 36px;
}
.panel {
  min-width: 0;
  padding: 20px 22px 18px;
  background: var(--surface);
  border: 1px solid var(--line);
  border-radius: 12px;
  box-shadow: var(--shadow);
}
.panel-head {
  display: flex;
  align-items: baseline;
  justify-content: space-between;
  flex-wrap: wrap;
  gap: 6px 20px;
  margin-bottom: 14px;
}
h2 {
  font-size: 16px;
  font-weight: 640;
  letter-spacing: -0.005em;
}
.engine {
  display: grid;
  grid-template-columns: minmax(0, 1.45fr) minmax(0, 1fr);
  gap: 20px;
  align-items: start;
}
.charts {
  display: grid;
  gap: 20px;
}
.charts:empty,
.engine:empty {
  display: none;
}
.engine:has(> [hidden]) {
  grid-template-columns: minmax(0, 1fr);
}
.full {
  grid-column: 1 / -1;
}

.table-scroll {
  max-height: 420px;
  overflow: auto;
  margin: 0 -22px -18px;
  border-top: 1px solid var(--line);
  border-radius: 0 0 11px 11px;
}
table {
  width: 100%;
  border-collapse: collapse;
  font-size: 13.5px;
}
th,
td {
  padding: 8px 12px;
  border-bottom: 1px solid var(--line);
  text-align: left;
  font-weight: 400;
  vertical-align: top;
}
th:first-child,
td:first-child {
  padding-left: 22px;
}
th:last-child,
td:last-child {
  padding-right: 22px;
}
tbody tr:last-child > * {
  border-bottom: 0;
}
thead th {
  position: sticky;
  top: 0;
  background: var(--sunken);
  color: var(--soft);
  font-size: 12.5px;
  white-space: nowrap;
}
tbody th {
  font-weight: 560;
  white-space: nowrap;
}
.numeric {
  text-align: right;
  white-space: nowrap;
}

@media (max-width: 1279px) {
  .engine {
    grid-template-columns: minmax(0, 1fr);
  }
}
@media (max-width: 1080px) {
  .figures {
    grid-template-columns: repeat(3, minmax(0, 1fr));
  }
}
@media (max-width: 620px) {
  header {
    padding: 20px 0 16px;
  }
  .head-line {
    flex-wrap: nowrap;
    gap: 10px;
  }
  h1 {
    font-size: 19px;
  }
  main {
    gap: 14px;
  }
  .engine {
    gap: 14px;
  }
  .figures {
    grid-template-columns: repeat(2, minmax(0, 1fr));
  }
  .tile {
    padding: 13px 14px 15px;
  }
  .tile .figure {
    font-size: clamp(15px, 13cqi, 19px);
  }
  .panel {
    padding: 16px 16px 14px;
  }
  .field {
    flex: 1 1 calc(50% - 6px);
  }
  .table-scroll {
    margin: 0 -16px -14px;
  }
  table {
    font-size: 13px;
  }
  th,
  td {
    padding: 8px 6px;
  }
  .wraps {
    white-space: normal;
  }
  th:first-child,
  td:first-child {
    padding-left: 16px;
  }
  th:last-child,
  td:last-child {
    padding-right: 16px;
  }
  .wide-only {
    display: none;
  }
}
@media (prefers-reduced-motion: reduce) {
  * {
    transition: none !important;
  }
}
`;
