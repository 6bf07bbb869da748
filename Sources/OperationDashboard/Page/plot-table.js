import { element, scroller, tableHead } from './dom.js';

/** How a column's figures are written, all with as many decimals. */
function writer(values) {
  const most = values.reduce((largest, value) => Math.max(largest, value ?? 0), 0);
  const isWhole = most >= 100 || values.every((value) => value === null || Number.isInteger(value));
  const decimals = isWhole ? 0 : most >= 10 ? 1 : Math.max(2, 1 - Math.floor(Math.log10(most)));
  const least = 10 ** -decimals;
  return (value) => {
    if (value === null || value === undefined) return '';
    return value > 0 && value < least / 2 ? `< ${least.toFixed(decimals)}` : value.toFixed(decimals);
  };
}

/** What was measured at one time stands in one row, a column each. */
function byTime(series, unit) {
  const write = writer(series.flatMap(({ points }) => points.map(([, value]) => value)));
  const rows = new Map();
  for (const [column, { points }] of series.entries()) {
    for (const [time, value] of points) {
      if (!rows.has(time)) rows.set(time, series.map(() => ''));
      rows.get(time)[column] = write(value);
    }
  }
  const numeric = series.length === 1 ? [unit] : series.map(({ name }) => name);
  return { columns: numeric, numeric, rows: [...rows].map(([time, cells]) => [time, ...cells]) };
}

/** Each thing that was measured has a row. */
function byName(series, unit) {
  const write = writer(series.flatMap(({ points }) => points.map(([, value]) => value)));
  return { columns: ['What', unit], numeric: [unit], rows: series.flatMap(({ name, points }) => points.map(([time, value]) => [time, name, write(value)])) };
}

/** All the numbers of a plot, newest first, as a table that is made once somebody opens it. */
export function plotTable({ title, unit, series }) {
  const details = element('details', {}, element('summary', { textContent: 'As a table' }));
  details.addEventListener('toggle', () => {
    if (details.open && !details.querySelector('table')) details.append(scroller(`${title} in ${unit}, as a table`, table({ unit, series })));
  });
  return details;
}

function table({ unit, series }) {
  const { columns, numeric, rows } = series.some(({ kind }) => kind === 'dots') ? byName(series, unit) : byTime(series, unit);
  rows.sort(([one], [other]) => other - one);
  const dayOf = ([time]) => new Date(time).toDateString();
  const isOneDay = rows.every((row) => dayOf(row) === dayOf(rows[0]));
  const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', ...(isOneDay ? { second: '2-digit' } : { day: 'numeric', month: 'short' }) });
  return element('table', {}, tableHead(['Time', ...columns], numeric), element('tbody', {}, rows.map(([time, ...cells]) => element('tr', {},
    element('th', { scope: 'row', textContent: clock.format(time) }),
    cells.map((text, index) => element('td', { className: numeric.includes(columns[index]) ? 'number' : '', textContent: text }))))));
}
