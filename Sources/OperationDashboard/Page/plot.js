import { element } from './dom.js';
import { drawing, sample, span } from './plot-drawing.js';
import { plotTable } from './plot-table.js';

const drawings = new WeakMap();
/** A plot is drawn in the pixels that it has, so that its text is as large as the page's at any width. */
const observer = new ResizeObserver((entries) => {
  for (const { target, contentRect: { width } } of entries) if (width > 0) target.replaceChildren(drawing(drawings.get(target), Math.floor(width)));
});

/**
 * A plot over time with a unit, and a table of the same numbers for those who would rather read them.
 *
 * `series`: `[{name, kind: 'line' | 'steps' | 'dots', points: [[milliseconds, value]], style}]`. A line is drawn through what was
 * measured, and ends where that was `null` or where more than `gap` ms lie between two; steps hold until the next; dots are single.
 * A style is a number, by default the place in the list: the first six differ in colour and in shape or dashes, those that follow in
 * another pair of colour and shape. `most` is what the vertical axis shows at least, `from` and `to` what the other does.
 */
export function plot({ title, unit, series: given, most = 0, gap, from, to, empty = 'Nothing has been measured yet.' }) {
  const series = given.map((one, index) => ({ ...one, style: one.style ?? index }));
  const latest = series.map(({ name, points }) => ({ name, value: points.findLast(([, value]) => value !== null)?.[1] })).filter(({ value }) => value !== undefined);
  const caption = element('figcaption', {}, element('span', {}, element('strong', { textContent: title }), ` in ${unit}`), legend(series));
  if (latest.length === 0) return element('figure', { className: 'plot' }, caption, element('p', { className: 'empty', textContent: empty }));
  const [first, last] = span(series);
  const label = `${title}. Latest: ${latest.map(({ name, value }) => `${name}: ${Number(value.toPrecision(3))} ${unit}`).join(', ')}`;
  const place = element('div', { className: 'drawing' });
  drawings.set(place, { label, series, most, gap, from: Math.min(from ?? first, first), to: Math.max(to ?? last, last) });
  observer.observe(place);
  return element('figure', { className: 'plot' }, caption, place, plotTable({ title, unit, series }));
}

function legend(series) {
  if (series.length < 2) return null;
  return element('span', { className: 'legend' }, series.map((one) => element('span', { className: 'key' }, sample(one), one.name)));
}
