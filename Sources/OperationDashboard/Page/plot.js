import { element, scroller, svg, tableHead } from './dom.js';

const width = 400;
const height = 190;
const margin = { left: 48, right: 10, top: 10, bottom: 24 };

/** How many colours there are, `series-0` and on. */
const colours = 6;
/** Dots are told apart by these, too: from their middle, a disc, a square, a triangle, a diamond, a plus, a triangle upside down. */
const shapes = [
  'm-3.6,0a3.6,3.6 0 1,0 7.2,0a3.6,3.6 0 1,0 -7.2,0z', 'm-3.2,-3.2h6.4v6.4h-6.4z', 'm0,-4.2l4.2,7.2h-8.4z', 'm0,-4.6l4.6,4.6l-4.6,4.6l-4.6,-4.6z',
  'm-1.4,-4.2h2.8v2.8h2.8v2.8h-2.8v2.8h-2.8v-2.8h-2.8v-2.8h2.8z', 'm0,4.2l4.2,-7.2h-8.4z',
];

/** Round steps that cut a range into about four. */
function ticks(most) {
  if (!(most > 0)) return [0, 1];
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough) * power;
  return Array.from({ length: Math.ceil(most / step - 1e-9) + 1 }, (_, index) => index * step);
}

/**
 * A plot over time with a unit, and a table of the same numbers for those who would rather read them.
 *
 * `series`: `[{name, kind: 'line' | 'dots', points: [[milliseconds, value]], style}]`; a style is a number, by default the place in
 * the list. The first six differ in colour and in shape or dashes, those that follow in another pair of colour and shape.
 */
export function plot({ title, unit, series, format = (value) => String(Number(value.toPrecision(3))), most: atLeast = 0 }) {
  const points = series.flatMap((line) => line.points);
  const body = points.length === 0 ? element('p', { className: 'empty', textContent: 'Nothing has been measured yet.' }) : draw();
  const rows = series.flatMap((line) => line.points.map(([time, value]) => [time, line.name, value])).sort((a, b) => b[0] - a[0]).slice(0, 200);
  const table = element('details', {}, element('summary', { textContent: 'As a table' }));
  table.addEventListener('toggle', () => {
    if (!table.open || table.querySelector('table')) return;
    table.append(scroller(`${title}, as a table`, element('table', {}, tableHead(['Time', 'What', unit]),
      element('tbody', {}, rows.map(([time, name, value]) => element('tr', {},
        [new Date(time).toLocaleString(), name, format(value)].map((text) => element('td', { textContent: text }))))))));
  });
  return element('figure', { className: 'plot' }, element('figcaption', {}, element('span', {}, element('strong', { textContent: title }), ` in ${unit}`), legend()),
    body, points.length > 0 ? table : null);

  function style(index) { return series[index].style ?? index; }

  function colour(index) { return `series-${style(index) % colours}`; }

  function mark(index, x, y) {
    const shape = shapes[(style(index) + Math.floor(style(index) / colours)) % shapes.length];
    return svg('path', { class: `dot ${colour(index)}`, d: `M${x.toFixed(1)},${y.toFixed(1)}${shape}` });
  }

  function legend() {
    if (series.length < 2) return null;
    return element('span', { className: 'legend' }, series.map((line, index) => {
      const sample = line.kind === 'dots' ? mark(index, 9, 6) : svg('path', { class: `line ${colour(index)}`, d: 'M0,6h18' });
      return element('span', { className: 'key' }, svg('svg', { viewBox: '0 0 18 12', 'aria-hidden': 'true' }, sample), line.name);
    }));
  }

  function draw() {
    const first = points.reduce((least, [time]) => Math.min(least, time), Infinity);
    const last = points.reduce((most, [time]) => Math.max(most, time), -Infinity);
    const steps = ticks(points.reduce((most, [, value]) => Math.max(most, value), Math.max(atLeast, 1e-9)));
    const most = steps.at(-1);
    const x = (time) => margin.left + (last === first ? 0.5 : (time - first) / (last - first)) * (width - margin.left - margin.right);
    const y = (value) => height - margin.bottom - (value / most) * (height - margin.top - margin.bottom);
    const drawDots = ({ points: all }, index) => all.map(([time, value]) => mark(index, x(time), y(value)));
    const drawLine = ({ points: all }, index) => {
      if (all.length < 2) return drawDots({ points: all }, index);
      const spots = all.map(([time, value]) => `${x(time).toFixed(1)},${y(value).toFixed(1)}`);
      const [left, right] = [x(all[0][0]), x(all.at(-1)[0])].map((place) => place.toFixed(1));
      const ground = y(0).toFixed(1);
      const area = index === 0 ? [svg('polygon', { class: `area ${colour(0)}`, points: `${left},${ground} ${spots.join(' ')} ${right},${ground}` })] : [];
      return [...area, svg('polyline', { class: `line ${colour(index)}`, points: spots.join(' ') })];
    };
    const grid = steps.map((step) => [
      svg('line', { class: 'grid', x1: margin.left, x2: width - margin.right, y1: y(step), y2: y(step) }),
      svg('text', { class: 'tick', x: margin.left - 6, y: y(step) + 4, 'text-anchor': 'end' }, format(step)),
    ]);
    const label = (time) => new Date(time).toLocaleString([], last - first > 86400000 ? { dateStyle: 'short' } : { timeStyle: 'medium' });
    const ends = last === first ? [svg('text', { class: 'tick', x: x(first), y: height - 6, 'text-anchor': 'middle' }, label(first))]
      : [svg('text', { class: 'tick', x: margin.left, y: height - 6 }, label(first)),
        svg('text', { class: 'tick', x: width - margin.right, y: height - 6, 'text-anchor': 'end' }, label(last))];
    const marks = series.map((line, index) => (line.kind === 'dots' ? drawDots(line, index) : drawLine(line, index)));
    const latest = series.filter((line) => line.points.length > 0).map((line) => `${line.name}: ${format(line.points.at(-1)[1])} ${unit}`).join(', ');
    return svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': `${title}. Latest: ${latest}` }, grid.flat(), ends, marks.flat());
  }
}
