/** Round values from 0 on that cut what is shown into about four. */
export function valueTicks(most) {
  if (!(most > 0)) return [0, 1];
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough) * power;
  return Array.from({ length: Math.ceil(most / step - 1e-9) + 1 }, (_, index) => index * step);
}

const day = 86400000;
const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate());
const told = (options) => (date) => date.toLocaleString(undefined, options);
const tellDay = told({ day: 'numeric', month: 'short' });

/** Steps of the local clock, of less than a day; they begin with each day. */
function clockStep(seconds) {
  const size = 1000 * seconds;
  const tellTime = told({ hour: '2-digit', minute: '2-digit', ...(seconds < 60 && { second: '2-digit' }) });
  const before = (date) => new Date(+midnight(date) + Math.floor((date - midnight(date)) / size) * size);
  return {
    size, before,
    after: (date) => before(new Date(+date + size)),
    tell: (date) => (seconds >= 60 && +date === +midnight(date) ? tellDay(date) : tellTime(date)),
  };
}

const dayStep = (count) => ({
  size: count * day, before: midnight, tell: tellDay,
  after: (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate() + count),
});

const monthStep = (count) => ({
  size: count * 30.4 * day, tell: told({ year: 'numeric', ...(count < 12 && { month: 'short' }) }),
  before: (date) => new Date(0, Math.floor((12 * (date.getFullYear() - 1900) + date.getMonth()) / count) * count, 1),
  after: (date) => new Date(date.getFullYear(), date.getMonth() + count, 1),
});

const steps = [
  ...[1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200].map(clockStep),
  ...[1, 2, 7, 14].map(dayStep),
  ...[1, 2, 3, 6, 12, 24, 60, 120].map(monthStep),
];

/** How wide a label is, in px; hours are written in another way from place to place. */
export const labelWidth = (text) => 7 * text.length;

/**
 * Round moments of the local clock and calendar between two, in ms, with a label each: as many as have room in `width` px, or, where
 * of those one alone would be shown, which tells no scale, those of a finer step.
 */
export function timeTicks(first, last, width) {
  const room = (step) => labelWidth(step.tell(new Date(first))) + 24;
  const fits = (step) => ((last - first) / step.size) * room(step) <= width;
  const finest = steps.find(fits) ?? steps.at(-1);
  for (let place = steps.indexOf(finest); ; place -= 1) {
    const ticks = between(first, last, steps[place]);
    const extent = ticks.length > 1 ? ((ticks.at(-1).time - ticks[0].time) / (last - first)) * width : 0;
    if (extent >= 1.5 * room(steps[place]) || place === 0) return ticks;
  }
}

function between(first, last, step) {
  const ticks = [];
  for (let date = step.before(new Date(first)); date <= last; date = step.after(date)) {
    if (date >= first) ticks.push({ time: +date, label: step.tell(date) });
  }
  return ticks;
}
