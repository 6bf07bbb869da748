import { get, withQuery } from './api.js';
import { Asking } from './asking.js';
import { attempt, headingID, open, openings, visit } from './dialog.js';
import { element, scroller, setHidden, setText } from './dom.js';
import { amount, duration, isBehind, megabytes, moment, nameOf, rate, remaining, remainingBasis, remainingRange, statusWord, took, typeWord } from './format.js';

/** How often what has not ended is asked after while it is looked at, in ms. */
const interval = 2000;

/** Whose details are asked for. */
let sought = null;
const asking = new Asking();

/** Shows all that is known of one operation, running or past: what it was, what it cost, and what has happened to it. Done once that is there. */
export async function showDetails(id) {
  // A name that is pressed twice shows one; of two names the later; and none once something else is asked or shown.
  if (asking.isOpen && sought === id) return;
  sought = id;
  const [mine, view, before] = [asking.begin(), visit(), openings()];
  const again = () => (asking.isOpen ? null : showDetails(id));
  const found = await attempt(() => find(id, AbortSignal.any([mine, view])), again);
  if (mine.aborted) return;
  asking.end();
  if (!found || view.aborted || openings() > before || document.querySelector('dialog:modal')) return;
  const details = new Details(id, found);
  const following = setInterval(() => details.follow(), interval);
  open(details.node).then(() => clearInterval(following));
}

async function find(id, signal) {
  const log = withQuery('/api/ports/events', { operation_id: id, limit: 1000 });
  // One after the other: what the record says has ended, the log has to tell the end of.
  const record = await get(`/api/ports/operations/${encodeURIComponent(id)}`, { signal });
  const answer = await get(log, { signal }).catch(() => null);
  return { record, events: answer?.events.reverse() ?? null };
}

/** What is known of an operation, as a dialog that goes on with it. */
class Details {
  #id;
  #record;
  /** Whether there is nothing more to come: it has ended, and the log tells of that. */
  #isWhole = false;
  #isAsking = false;
  /** It has the focus to begin with, or the dialog would begin at its end, where there is something to press. */
  #title = element('h2', { id: headingID(), tabIndex: -1, autofocus: true });
  #status = element('span', { className: 'status' });
  #line;
  #note = element('p', { className: 'quiet', hidden: true });
  #error = element('p', { className: 'fact error', hidden: true });
  #facts = element('dl', { className: 'figures' });
  #log = element('ol', { className: 'log' });
  #happened = element('h3', { textContent: 'What happened' });
  #text = element('pre');
  node;

  constructor(id, found) {
    this.#id = id;
    this.#line = element('p', { className: 'facts' }, this.#status, element('code', { textContent: id }));
    // While it is read it stays as it was when it was opened.
    const json = element('details', { ontoggle: () => { if (json.open) setText(this.#text, JSON.stringify(this.#record, null, 2)); } },
      element('summary', { textContent: 'As JSON' }), scroller('The record as JSON', this.#text));
    this.node = element('dialog', { className: 'details', 'aria-labelledby': this.#title.id }, this.#title, this.#line, this.#note, this.#error,
      this.#facts, this.#happened, this.#log, json,
      element('form', { method: 'dialog', className: 'actions' }, element('button', { className: 'primary', textContent: 'Close' })));
    this.#show(found);
  }

  /** Asks what has become of it, until all of that is shown. */
  async follow() {
    if (this.#isWhole || this.#isAsking || document.hidden) return;
    this.#isAsking = true;
    try {
      this.#show(await find(this.#id));
    } catch (error) {
      setText(this.#note, `As it was before. ${error.message}`);
      setHidden(this.#note, false);
    }
    this.#isAsking = false;
  }

  #show({ record, events }) {
    this.#record = record;
    this.#line.dataset.status = record.status;
    setText(this.#title, nameOf(record));
    setText(this.#status, statusWord(record));
    this.#isWhole = Boolean(record.finished_at && events);
    setText(this.#note, 'What happened to it could not be asked for.');
    setHidden(this.#note, events !== null);
    setText(this.#error, record.error ?? '');
    setHidden(this.#error, !record.error);
    refill(this.#facts, facts(record).map(([name, value]) =>
      element('div', { className: value.length > 28 ? 'wide' : '' }, element('dt', { textContent: name }), element('dd', { textContent: value }))));
    // What was there before the log didn't come stays.
    if (events) refill(this.#log, events.map(entry));
    const isEmpty = !this.#log.hasChildNodes();
    setHidden(this.#happened, isEmpty);
    setHidden(this.#log, isEmpty);
  }
}

/** Puts nodes into a list and leaves those there that say the same: what somebody has selected stays selected. */
function refill(list, nodes) {
  for (const [index, node] of nodes.entries()) {
    const before = list.children[index];
    if (!before) list.append(node);
    else if (!before.isEqualNode(node)) before.replaceWith(node);
  }
  while (list.childElementCount > nodes.length) list.lastElementChild.remove();
}

function facts(record) {
  const { resource_impact: cost, uptime_seconds: seconds } = record;
  const pace = record.unit === 'bytes' && record.finished_at && seconds > 0 && record.completed_units > 0 ? `${rate(record.completed_units / seconds)} on average` : '';
  const left = remaining(record, remainingRange(record));
  return [
    ['Type', typeWord(record.operation_type)], ['Began', moment(record.started_at)], ['Ended', moment(record.finished_at)],
    ['Took', duration(took(record))], ['So far', record.finished_at ? '' : duration(seconds || null)],
    ['Speed limit', record.bandwidth_limit_bytes_per_second ? rate(record.bandwidth_limit_bytes_per_second) : ''],
    ['Amount', [amount(record), pace, isBehind(record) ? 'begun again: it had come further before, which is what the bar shows' : ''].filter(Boolean).join(', ')], ['Phase', record.phase],
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
