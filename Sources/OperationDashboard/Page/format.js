/** The bytes in a MB, as everywhere in this API. */
export const megabyte = 1048576;

/** MB of 2^20 bytes in the unit in which they read best. */
export function megabytes(value) {
  if (value === null || value === undefined) return '';
  return bytes(value * megabyte);
}

/** Bytes in the unit in which they read best; units are powers of 1024, as everywhere in this API. */
function bytes(value) {
  if (value === null || value === undefined) return '';
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  let amount = value;
  while (amount >= 1024 && unit < units.length - 1) { amount /= 1024; unit += 1; }
  return `${unit === 0 || amount >= 100 ? Math.round(amount) : amount.toFixed(1)} ${units[unit]}`;
}

/** How many MB of 2^20 bytes 10^6 bits are. */
export const megabytesPerMegabit = 125000 / megabyte;

/** Bytes a second as MB/s, as everywhere on the page: speeds, limits and plots can be compared at a glance. */
export function rate(bytesPerSecond) {
  const amount = bytesPerSecond / megabyte;
  if (amount < 0.005) return 'less than 0.01 MB/s';
  return `${amount >= 100 ? Math.round(amount) : amount.toFixed(amount >= 1 ? 1 : 2)} MB/s`;
}

/** 10^6 bit/s as MB/s; nothing where nothing moves. */
export function speed(megabits) {
  return megabits > 0 ? rate(megabits * 125000) : '';
}

/** Seconds as a person says them: two units at most. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return '';
  if (seconds > 0 && seconds < 0.095) return `${Math.max(1, Math.round(1000 * seconds))} ms`;
  if (seconds < 10) return `${seconds < 0.95 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
}

/** The steps in which a remaining time is told: finer ones would promise what nobody knows. */
const steps = [1, 2, 3, 5, 7, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 420, 600, 900, 1200, 1800, 2700, 3600, 5400, 7200, 10800, 14400, 21600, 28800, 43200, 64800, 86400];

function rough(seconds, upwards) {
  if (seconds > steps.at(-1)) return (upwards ? Math.ceil(seconds / 86400) : Math.floor(seconds / 86400)) * 86400;
  return upwards ? steps.find((step) => step >= seconds) : steps.findLast((step) => step <= seconds) ?? 0;
}

function short(seconds) {
  if (seconds < 90) return [seconds, 's'];
  if (seconds < 5400) return [Math.round(seconds / 6) / 10, 'min'];
  if (seconds < 86400) return [Math.round(seconds / 360) / 10, 'h'];
  return [Math.round(seconds / 86400), 'd'];
}

/** How far an end of a range may pass a step before it is told anew: about a step it would go to and fro. */
const slack = 1.15;

/** One end of a range: where it was told before, unless it has clearly left there. */
function end(seconds, upwards, told) {
  const now = rough(seconds, upwards);
  if (told === undefined || now === told) return now;
  const lowest = rough(seconds / slack, upwards);
  const highest = rough(seconds * slack, upwards);
  return lowest <= told && told <= highest ? told : now;
}

/** The time remaining as a range in steps: `[from, to]` in seconds; `null` where it is not known. `told` is the range shown now. */
export function remainingRange({ status, eta_low_seconds: low, eta_high_seconds: high, eta_seconds: expected }, told) {
  if (status !== 'in_progress' || expected === null) return null;
  const to = end(Math.max(1, high ?? expected), true, told?.[1]);
  return [Math.min(to, end(Math.max(0, low ?? expected), false, told?.[0])), to];
}

/** A range as a person says it. */
export function remaining(operation, range) {
  if (!range) return '';
  const [from, to] = range;
  const [a, aUnit] = short(from);
  const [b, bUnit] = short(to);
  const late = operation.eta_overdue ? ', longer than usual' : '';
  if (from === 0) return `less than ${b} ${bUnit} left${late}`;
  if (a === b && aUnit === bUnit) return `about ${a} ${aUnit} left${late}`;
  return aUnit === bUnit ? `${a} to ${b} ${bUnit} left${late}` : `${a} ${aUnit} to ${b} ${bUnit} left${late}`;
}

/** Why the remaining time is what it is, for those who ask. */
export function remainingBasis(operation) {
  const words = { rate: 'by the speed of this run', history: 'by earlier runs', blend: 'by this run and earlier ones' };
  if (!operation.eta_basis) return '';
  const runs = operation.eta_samples ? ` (${operation.eta_samples} of them)` : '';
  const late = operation.eta_overdue ? ' It has taken longer than 95 % of those before it.' : '';
  return `An interval that is to hold in four of five cases, ${words[operation.eta_basis] ?? operation.eta_basis}${runs}.${late}`;
}

export const percent = (value) => `${Math.floor(value)} %`;

/** Keeps each number in a text beside its unit, whatever the width. */
export const unbroken = (text) => text.replace(/(\d) (?=(?:%|[kMGT]?B|s|min|h|d)(?!\w))/g, '$1\u00a0');

/** What has been done of what there is. */
export function amount(operation) {
  const { unit, completed_units: done, total_units: total } = operation;
  if (unit === 'fraction') return '';
  const show = unit === 'bytes' ? bytes : (value) => value.toLocaleString('en');
  const what = unit === 'bytes' ? '' : ` ${unit === 'items' && done === 1 && total === null ? 'item' : unit}`;
  if (total === null) return done > 0 ? `${show(done)}${what}` : '';
  // Who reports a percentage alone has not said that nothing is done.
  if (done === 0 && operation.progress >= 1) return `${show(total)}${what} in all`;
  return `${show(done)} of ${show(total)}${what}`;
}

/** Whether it was further before and does a part again: the bar, which never goes back, then shows more than the amount. */
export const isBehind = ({ rewound_mb: rewound, completed_units: done, total_units: total, progress, finished_at: finished }) =>
  !finished && rewound > 0 && total > 0 && (100 * done) / total < progress - 1;

export const moment = (text) => (text ? new Date(text).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' }) : '');

/** A moment as short as it can be told: the time alone when it is of today. */
export function shortMoment(text) {
  if (!text) return '';
  const date = new Date(text);
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday ? date.toLocaleTimeString(undefined, { timeStyle: 'medium' }) : date.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}

const statusWords = { pending: 'waiting', in_progress: 'running', paused: 'paused', completed: 'completed', failed: 'failed', cancelled: 'cancelled' };
const requestWords = { pause: 'pausing', resume: 'resuming', cancel: 'cancelling' };

/** A status in a word; a wish that has not been followed yet goes before it. */
export function statusWord(operation) {
  if (operation.pending_request === 'pause' && operation.status === 'pending') return 'held';
  return requestWords[operation.pending_request] ?? statusWords[operation.status] ?? operation.status;
}

/** A type's name as words. */
export const typeWord = (type) => type.replaceAll('_', ' ');

/** What an operation is called: by its description, or, where nothing of that could be seen, by its type. */
export const nameOf = ({ description, operation_type: type }) => (/[^\s\p{C}\p{Z}\u115F\u1160\u2800\u3164\uFFA0]/u.test(description) ? description : typeWord(type));

/** How long it took, in s; `null` while that isn't known yet, or never will be since nobody was there when it ended. */
export const took = ({ finished_at: end, error_code: code, uptime_seconds: seconds }) => (end && code !== 'interrupted' ? seconds : null);
