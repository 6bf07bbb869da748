import { element } from './dom.js';

/**
 * Shows plots in the place of those that stood there, one by one. One whose table somebody reads stands still, and says so; one
 * whose table has the focus, but isn't open, goes on and keeps it.
 */
export function showPlots(place, figures) {
  for (const [index, figure] of figures.entries()) {
    const before = place.children[index];
    const [table, old] = [figure, before].map((each) => each?.querySelector('details'));
    table?.firstElementChild.after(element('p', { className: 'quiet', textContent: 'The plot stands still while this is open.' }));
    if (!before) place.append(figure);
    else if (old?.open) continue;
    else if (table && old?.contains(document.activeElement)) exchange(old, figure, table);
    else before.replaceWith(figure);
  }
}

/** Shows all of a figure round the table of the one before; its own table takes that one's place when it is opened. */
function exchange(old, figure, table) {
  for (const node of [...old.parentNode.childNodes]) if (node !== old) node.remove();
  const nodes = [...figure.childNodes];
  const place = nodes.indexOf(table);
  old.before(...nodes.slice(0, place));
  old.after(...nodes.slice(place + 1));
  old.ontoggle = () => {
    if (!old.open || !old.isConnected) return;
    table.open = true;
    old.replaceWith(table);
    table.firstElementChild.focus();
  };
}
