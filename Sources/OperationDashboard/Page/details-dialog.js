import { get, withQuery } from './api.js';
import { attempt, headingID, open } from './dialog.js';
import { element, scroller } from './dom.js';
import { amount, bytes, duration, megabytes, moment, remaining, remainingBasis, remainingRange, statusWord, typeWord } from './format.js';

let isFinding = false;

/** Shows all that is known of one operation, running or past: what it was, what it cost, and what has happened to it. */
export async function showDetails(id) {
  // A name that is pressed twice shows one.
  if (isFinding) return;
  isFinding = true;
  const dialog = await detailsOf(id).finally(() => { isFinding = false; });
  if (dialog) await open(dialog);
}

async function detailsOf(id) {
  const path = `/api/ports/operations/${encodeURIComponent(id)}`;
  const log = withQuery('/api/ports/events', { operation_id: id, limit: 1000 });
  const found = await attempt(() => Promise.all([get(path), get(log).catch(() => ({ events: [] }))]));
  if (!found) return null;
  const [record, { events }] = found;
  const about = events.reverse();
  const heading = headingID();
  return element('dialog', { className: 'details', 'aria-labelledby': heading },
    element('h2', { id: heading, textContent: record.description || typeWord(record.operation_type) }),
    element('p', { className: 'facts', 'data-status': record.status }, element('span', { className: 'status', textContent: statusWord(record) }),
      element('code', { textContent: id })),
    record.error ? element('p', { className: 'fact error', textContent: record.error }) : null,
    element('dl', { className: 'figures' }, facts(record).map(([name, value]) =>
      element('div', { className: value.length > 28 ? 'wide' : '' }, element('dt', { textContent: name }), element('dd', { textContent: value })))),
    about.length > 0 ? [element('h3', { textContent: 'What happened' }), element('ol', { className: 'log' }, about.map(entry))] : null,
    element('details', {}, element('summary', { textContent: 'As JSON' }),
      scroller('The record as JSON', element('pre', { textContent: JSON.stringify(record, null, 2) }))),
    element('form', { method: 'dialog', className: 'actions' }, element('button', { className: 'primary', textContent: 'Close' })));
}

function facts(record) {
  const { resource_impact: cost, uptime_seconds: seconds } = record;
  const rate = record.unit === 'bytes' && record.finished_at && seconds > 0 && record.completed_units > 0 ? `${bytes(record.completed_units / seconds)}/s on average` : '';
  const left = remaining(record, remainingRange(record));
  return [
    ['Type', typeWord(record.operation_type)], ['Began', moment(record.started_at)], ['Ended', moment(record.finished_at)],
    ['Took', duration(seconds)], ['Speed limit', record.bandwidth_limit_bytes_per_second ? `${bytes(record.bandwidth_limit_bytes_per_second)}/s` : ''], ['Amount', [amount(record), rate].filter(Boolean).join(', ')], ['Phase', record.phase],
    ['Priority', record.priority], ['Tries', record.attempt > 1 ? String(record.attempt) : ''], ['Process', record.pid === null ? '' : String(record.pid)],
    ['CPU', cost?.cpu_percent == null ? '' : `${Math.round(cost.cpu_percent)} % of one core`], ['Memory', megabytes(cost?.memory_mb)],
    ['Part of', record.parent_id], ['Error code', record.error_code], ['Node', record.node],
    ['Estimate', left && [`${left}.`, remainingBasis(record)].filter(Boolean).join(' ')],
    ['Phases', (record.phases ?? []).map(({ phase, seconds: time }) => `${phase ?? 'to begin with'} ${duration(time)}`).join(', ')],
  ].filter(([, value]) => value);
}

function entry({ timestamp, event_type: type, actor, details }) {
  return element('li', {}, element('time', { dateTime: timestamp, textContent: moment(timestamp) }),
    [` ${eventWord(type)}`, actor ? ` by ${actor}` : '', details ? `: ${details}` : ''].join(''));
}

/** An event's name as words: `operation.pause_requested` as `pause requested`. */
export const eventWord = (type) => type.replace(/^operation\./, '').replaceAll('_', ' ').replaceAll('.', ' ');
