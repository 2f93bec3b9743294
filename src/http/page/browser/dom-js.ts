/** Browser module: elements and tables. */
export const domJs: string = `
const svgNamespace = 'http://www.w3.org/2000/svg';

/** An element with attributes (null leaves one out) and children (text or nodes). */
export function el(tag, attributes = {}, ...children) {
  return dress(document.createElement(tag), attributes, children);
}

/** The same for a part of a drawing. */
export function svg(tag, attributes = {}, ...children) {
  return dress(document.createElementNS(svgNamespace, tag), attributes, children);
}

function dress(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    node.setAttribute(name, value === true ? '' : String(value));
  }
  node.append(...children);
  return node;
}

/** Writes a text only if it is another one, so that screen readers and selections are left alone. */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** A table whose rows are renewed in place: cells keep their elements, so a selection survives the next poll. */
export function table(columns, caption) {
  const head = columns.map((column) => el('th', { scope: 'col', class: cellClass(column) }, column.label));
  const body = el('tbody');
  const root = el(
    'div',
    { class: 'table-scroll', tabindex: '0', role: 'region', 'aria-label': caption },
    el('table', {}, el('caption', { class: 'visually-hidden' }, caption), el('thead', {}, el('tr', {}, ...head)), body),
  );
  return {
    root,
    update(rows) {
      while (body.rows.length > rows.length) body.deleteRow(-1);
      rows.forEach((row, i) => {
        const tr = body.rows[i] ?? body.appendChild(newRow(columns));
        columns.forEach((column, j) => {
          column.render(tr.cells[j], row);
        });
      });
    },
  };
}

function newRow(columns) {
  return el(
    'tr',
    {},
    ...columns.map((column, i) =>
      el(i === 0 ? 'th' : 'td', { scope: i === 0 ? 'row' : null, class: cellClass(column) }),
    ),
  );
}

function cellClass(column) {
  return (
    [column.numeric ? 'numeric' : '', column.wide ? 'wide-only' : '', column.wraps ? 'wraps' : ''].join(' ').trim() ||
    null
  );
}
`;
