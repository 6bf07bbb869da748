/** Signs that turn the order of what follows, by which a name can be made to look like another: they are shown instead of obeyed. */
const turning = /[\u202a-\u202e\u2066-\u2069]/g;
const plain = (text) => (typeof text === 'string' ? text.replace(turning, (sign) => `⟨U+${sign.codePointAt(0).toString(16).toUpperCase()}⟩`) : text);

/**
 * Makes an element.
 *
 * `attributes` sets properties where the element has them (`textContent`, `className`, `onclick`), attributes where not
 * (`aria-label`, `data-x`); `null`, `undefined` and `false` set nothing. Nothing is ever parsed as HTML.
 */
export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key in node && !key.startsWith('aria') && key !== 'list') node[key] = key === 'textContent' ? plain(value) : value;
    else node.setAttribute(key, value === true ? '' : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false).map(plain));
  return node;
}

const svgNamespace = 'http://www.w3.org/2000/svg';

/** Makes an element of a drawing. */
export function svg(name, attributes = {}, ...children) {
  const node = document.createElementNS(svgNamespace, name);
  for (const [key, value] of Object.entries(attributes)) if (value !== null && value !== undefined) node.setAttribute(key, value);
  node.append(...children.flat());
  return node;
}

/** Sets a text only where it is another: what doesn't change costs no layout, and is not read out again. */
export function setText(node, text) {
  const shown = plain(text);
  if (node.textContent !== shown) node.textContent = shown;
}

/** Something wide, such as a table, that scrolls by itself and, since a keyboard has to reach it, has the focus for that. */
export function scroller(label, ...content) {
  return element('div', { className: 'scroll', role: 'region', 'aria-label': label, tabIndex: 0 }, ...content);
}

/** The head of a table; columns named in `numeric` hold figures. */
export function tableHead(columns, numeric = []) {
  return element('thead', {}, element('tr', {}, columns.map((text) =>
    element('th', { scope: 'col', textContent: text, className: numeric.includes(text) ? 'number' : '' }))));
}

/** A text of any length that is shown in a few lines; the whole of it is where it leads to. */
export const clamped = (text) => element('span', { className: 'clamped', textContent: text });

/** Shows or hides, only where that is a change. What goes while it has the focus leaves that to `heir`. */
export function setHidden(node, hidden, heir = null) {
  if (node.hidden === hidden) return;
  if (hidden && node === document.activeElement) heir?.focus({ preventScroll: true });
  node.hidden = hidden;
}
