const svgNamespace = 'http://www.w3.org/2000/svg';

/** Attributes of an element: what is null, undefined or false is left out. */
export type Attributes = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** An element with attributes and children, text or nodes. Text is never read as markup. */
export function el<Name extends keyof HTMLElementTagNameMap>(
  tag: Name,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  return dress(document.createElement(tag), attributes, children);
}

/** The same for a part of a drawing. */
export function svg<Name extends keyof SVGElementTagNameMap>(
  tag: Name,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): SVGElementTagNameMap[Name] {
  return dress(document.createElementNS(svgNamespace, tag), attributes, children);
}

function dress<Of extends Element>(node: Of, attributes: Attributes, children: readonly (Node | string)[]): Of {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    node.setAttribute(name, value === true ? '' : String(value));
  }
  node.append(...children);
  return node;
}

/** The element of the page's skeleton with this id. */
export function byId(id: string): HTMLElement {
  return document.getElementById(id)!;
}

/** Writes a text only if it is another one, so that screen readers and selections are left alone. */
export function write(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** A part of a view under a heading. */
export function panel(title: string, ...content: readonly (Node | string)[]): HTMLElement {
  return el('section', { class: 'panel' }, el('div', { class: 'panel-head' }, el('h2', {}, title)), ...content);
}

/** A choice among a few values, with its label. */
export function selectField(
  label: string,
  choices: readonly { readonly value: string; readonly label: string }[],
): { readonly root: HTMLElement; readonly control: HTMLSelectElement } {
  const control = el('select', {}, ...choices.map((choice) => el('option', { value: choice.value }, choice.label)));
  return { root: el('label', { class: 'field' }, el('span', {}, label), control), control };
}

/** A line of text to type, with its label. */
export function textField(
  label: string,
  attributes: Attributes = {},
): { readonly root: HTMLElement; readonly control: HTMLInputElement } {
  const control = el('input', {
    type: 'text',
    autocomplete: 'off',
    spellcheck: 'false',
    maxlength: 500,
    ...attributes,
  });
  return { root: el('label', { class: 'field' }, el('span', {}, label), control), control };
}
