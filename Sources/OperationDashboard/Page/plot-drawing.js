import { labelWidth, timeTicks, valueTicks } from './axes.js';
import { svg } from './dom.js';

const height = 190;
const margin = { right: 12, top: 10, bottom: 26 };
/** How wide a figure of an axis is at most, in px. */
const digit = 7.5;
/** How far labels of the time axis stand apart at least, in px. */
const labelGap = 14;
/** The shortest time that an axis spans, in ms. */
const shortest = 4000;

/** How many colours there are, `series-0` and on. */
const colours = 6;
/** Dots are told apart by these, too: from their middle, a disc, a square, a triangle, a diamond, a plus, a triangle upside down. */
const shapes = [
  'm-3.6,0a3.6,3.6 0 1,0 7.2,0a3.6,3.6 0 1,0 -7.2,0z', 'm-3.2,-3.2h6.4v6.4h-6.4z', 'm0,-4.2l4.2,7.2h-8.4z', 'm0,-4.6l4.6,4.6l-4.6,4.6l-4.6,-4.6z',
  'm-1.4,-4.2h2.8v2.8h2.8v2.8h-2.8v2.8h-2.8v-2.8h-2.8v-2.8h2.8z', 'm0,4.2l4.2,-7.2h-8.4z',
];

const colour = (style) => `series-${style % colours}`;
const shape = (style) => shapes[(style + Math.floor(style / colours)) % shapes.length];
const near = (value) => value.toFixed(1);
const short = (value) => String(Number(value.toPrecision(3)));

function mark(style, x, y) {
  return svg('path', { class: `dot ${colour(style)}`, d: `M${near(x)},${near(y)}${shape(style)}` });
}

/** How a series is drawn, for a legend. */
export function sample({ kind, style }) {
  return svg('svg', { viewBox: '0 0 18 12', 'aria-hidden': 'true' },
    kind === 'dots' ? mark(style, 9, 6) : svg('path', { class: `line ${colour(style)}`, d: 'M0,6h18' }));
}

/** Cuts a line where nothing was measured: at values that are `null`, and where more than `gap` ms lie between two. */
function stretches(points, gap = Infinity) {
  const found = [];
  let before = -Infinity;
  for (const point of points) {
    if (point[1] !== null && (found.length === 0 || point[0] - before > gap)) found.push([]);
    if (point[1] !== null) found.at(-1).push(point);
    before = point[1] === null ? -Infinity : point[0];
  }
  return found;
}

/** When the first and the last of some series was measured, in ms. */
export function span(series) {
  const times = series.flatMap(({ points }) => points.map(([time]) => time));
  return [times.reduce((least, time) => Math.min(least, time), Infinity), times.reduce((most, time) => Math.max(most, time), -Infinity)];
}

/** Draws series, `width` px wide, from and to a moment; the vertical axis goes from 0 to `most` at least. */
export function drawing({ label, series, most: atLeast, gap, from, to }, width) {
  const missing = Math.max(0, shortest - (to - from)) / 2;
  const [first, last] = [from - missing, to + missing];
  const values = series.flatMap(({ points }) => points.map(([, value]) => value ?? 0));
  const steps = valueTicks(values.reduce((most, value) => Math.max(most, value), Math.max(atLeast, 1e-9)));
  const left = Math.max(...steps.map((step) => short(step).length)) * digit + 10;
  const ground = height - margin.bottom;
  const x = (time) => left + ((time - first) / (last - first)) * (width - left - margin.right);
  const y = (value) => ground - (value / steps.at(-1)) * (ground - margin.top);

  const rows = steps.map((step) => [
    svg('line', { class: 'grid', x1: left, x2: width - margin.right, y1: near(y(step)), y2: near(y(step)) }),
    svg('text', { class: 'tick', x: left - 8, y: near(y(step) + 4), 'text-anchor': 'end' }, short(step)),
  ]);
  let end = -Infinity;
  const columns = timeTicks(first, last, width - left - margin.right).map(({ time, label: text }) => {
    // One near an edge would be cut off there; where that moves it too close to its neighbour, the tick has to do.
    const half = labelWidth(text) / 2;
    const middle = Math.min(Math.max(x(time), half), width - half);
    const isClear = middle - half >= end + labelGap;
    if (isClear) end = middle + half;
    return [
      svg('line', { class: 'grid', x1: near(x(time)), x2: near(x(time)), y1: ground, y2: ground + 4 }),
      ...(isClear ? [svg('text', { class: 'tick time', x: near(middle), y: height - 6, 'text-anchor': 'middle' }, text)] : []),
    ];
  });

  const path = (points, kind) => points.map(([time, value], index) =>
    (index === 0 ? `M${near(x(time))},${near(y(value))}` : kind === 'steps' ? `H${near(x(time))}V${near(y(value))}` : `L${near(x(time))},${near(y(value))}`)).join('');
  const line = ({ points, kind, style }, index) => stretches(points, gap).flatMap((stretch) => {
    // What was the case last still is.
    const ends = kind === 'steps' ? [...stretch, [last, stretch.at(-1)[1]]] : stretch;
    if (ends.length < 2) return [mark(style, x(ends[0][0]), y(ends[0][1]))];
    const drawn = path(ends, kind);
    const area = index === 0 ? [svg('path', { class: `area ${colour(style)}`, d: `${drawn}V${ground}H${near(x(ends[0][0]))}Z` })] : [];
    return [...area, svg('path', { class: `line ${colour(style)}`, d: drawn })];
  });
  const dots = ({ points, style }) => points.map(([time, value]) => mark(style, x(time), y(value)));
  const marks = series.map((one, index) => (one.kind === 'dots' ? dots(one) : line(one, index)));
  return svg('svg', { width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label }, rows.flat(), columns.flat(), marks.flat());
}
