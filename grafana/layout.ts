import type { Dashboard, Panel, Row } from './model.ts';
import type { Unplaced } from './panels.ts';

/** What an application runs on. */
export type RunsOn = 'kafka' | 'files';

/** Panels under a heading. */
export interface Section {
  readonly title: string;
  /** Absent: the panels have data wherever the application runs. */
  readonly runsOn?: RunsOn;
  readonly panels: readonly Unplaced[];
}

const columns = 24;

/** Gives panels their places: from left to right, a new line where one has no more room, each section below the last. */
export function placed(sections: readonly Section[]): readonly (Row | Panel)[] {
  const all: (Row | Panel)[] = [];
  let y = 0;
  for (const { title, panels } of sections) {
    const gridPos = { x: 0, y, w: columns, h: 1 };
    all.push({ id: all.length + 1, type: 'row', title, collapsed: false, gridPos, panels: [] });
    y++;
    let x = 0;
    let lineHeight = 0;
    for (const { width, height, ...panel } of panels) {
      if (x + width > columns) {
        y += lineHeight;
        x = 0;
        lineHeight = 0;
      }
      all.push({ id: all.length + 1, ...panel, gridPos: { x, y, w: width, h: height } });
      x += width;
      lineHeight = Math.max(lineHeight, height);
    }
    y += lineHeight;
  }
  return all;
}

/** The rows of a dashboard, with the panels below each. */
export function rowsOf({ panels }: Dashboard): readonly (readonly [row: Row, panels: readonly Panel[]])[] {
  const rows: [Row, Panel[]][] = [];
  for (const panel of panels) {
    if (panel.type === 'row') rows.push([panel, []]);
    else rows.at(-1)?.[1].push(panel);
  }
  return rows;
}
