import { el, write } from './dom.ts';

/** A column of a table: how its cells are filled. */
export interface Column<Row> {
  readonly label: string;
  readonly render: (cell: HTMLElement, row: Row) => void;
  /** Aligned to the right. */
  readonly numeric?: boolean;
  /** Left out on narrow screens. */
  readonly wide?: boolean;
  readonly wraps?: boolean;
}

/** A table and what renews its rows. */
export interface Table<Row> {
  readonly root: HTMLElement;
  update(rows: readonly Row[]): void;
}

/** Fills cells with text. */
export function text<Row>(of: (row: Row) => string): Column<Row>['render'] {
  return (cell, row) => write(cell, of(row));
}

/** A table whose rows are renewed in place: cells keep their elements, so a selection survives the next figures. */
export function table<Row>(columns: readonly Column<Row>[], caption: string): Table<Row> {
  const head = columns.map((column) => el('th', { scope: 'col', class: cellClass(column) }, column.label));
  const body = el('tbody');
  const grid = el(
    'table',
    {},
    el('caption', { class: 'visually-hidden' }, caption),
    el('thead', {}, el('tr', {}, ...head)),
    body,
  );
  return {
    root: el('div', { class: 'table-scroll', tabindex: '0', role: 'region', 'aria-label': caption }, grid),
    update(rows) {
      while (body.rows.length > rows.length) body.deleteRow(-1);
      rows.forEach((row, i) => {
        const tr = body.rows[i] ?? body.appendChild(newRow(columns));
        columns.forEach((column, j) => {
          column.render(tr.cells[j]!, row);
        });
      });
    },
  };
}

function newRow<Row>(columns: readonly Column<Row>[]): HTMLTableRowElement {
  return el(
    'tr',
    {},
    ...columns.map((column, i) =>
      el(i === 0 ? 'th' : 'td', { scope: i === 0 ? 'row' : null, class: cellClass(column) }),
    ),
  );
}

function cellClass<Row>({ numeric, wide, wraps }: Column<Row>): string | null {
  const classes = [numeric ? 'numeric' : '', wide ? 'wide-only' : '', wraps ? 'wraps' : ''];
  return classes.filter((name) => name !== '').join(' ') || null;
}
