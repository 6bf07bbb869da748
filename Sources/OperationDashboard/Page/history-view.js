import { get, withQuery } from './api.js';
import { attempt } from './dialog.js';
import { element } from './dom.js';
import { bytes, duration, moment, statusWord, typeWord } from './format.js';
import { plot } from './plot.js';

const root = '/api/ports/operations/history';

/** What has run: filters, pages without end, one run's details, and how long things take. */
export class HistoryView {
  #records = [];
  #cursor = null;
  #isLoading = false;
  #rows = element('tbody');
  #more = element('button', { type: 'button', textContent: 'More', hidden: true, onclick: () => this.#load() });
  #statistics = element('div');
  #plots = element('div', { className: 'plots' });
  #note = element('p', { className: 'quiet', role: 'status' });
  #filter = element('form', { className: 'filter', 'aria-label': 'Filter', onsubmit: (event) => { event.preventDefault(); this.#reload(); }, onchange: () => this.#reload() },
    element('label', {}, 'Type', element('input', { name: 'type', pattern: '[a-z][a-z0-9_]*', placeholder: 'all' })),
    element('label', {}, 'Status', element('select', { name: 'status' }, ['', 'completed', 'failed', 'cancelled', 'in_progress', 'paused', 'pending'].map((value) =>
      element('option', { value, textContent: value === '' ? 'all' : value.replaceAll('_', ' ') })))),
    element('label', {}, 'Text', element('input', { name: 'text', type: 'search' })),
    element('label', {}, 'Since', element('input', { name: 'since', type: 'datetime-local' })));
  #watcher = new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting)) this.#load(); });
  node = element('section', { 'aria-labelledby': 'history-title' }, element('h2', { id: 'history-title', textContent: 'History' }),
    this.#statistics, this.#plots, this.#filter, this.#note,
    element('div', { className: 'scroll' }, element('table', { className: 'history' },
      element('thead', {}, element('tr', {}, ['Ended', 'What', 'Type', 'Status', 'Took', 'Amount'].map((text) => element('th', { scope: 'col', textContent: text })))), this.#rows)),
    this.#more);

  show() {
    this.#reload();
    this.#summarise();
    this.#watcher.observe(this.#more);
  }

  hide() { this.#watcher.disconnect(); }

  #reload() {
    if (!this.#filter.reportValidity()) return;
    this.#records = [];
    this.#cursor = null;
    this.#rows.replaceChildren();
    this.#load(true);
  }

  async #load(isFirst = false) {
    if ((this.#isLoading && !isFirst) || (!isFirst && !this.#cursor)) return;
    this.#isLoading = true;
    const filter = Object.fromEntries(new FormData(this.#filter));
    if (filter.since) filter.since = new Date(filter.since).toISOString();
    const asked = JSON.stringify(filter);
    const page = await attempt(() => get(withQuery(root, { ...filter, cursor: this.#cursor, limit: 50 })));
    this.#isLoading = false;
    // The filter may have been changed while this was on its way.
    const now = Object.fromEntries(new FormData(this.#filter));
    if (now.since) now.since = new Date(now.since).toISOString();
    if (!page || asked !== JSON.stringify(now)) return;
    this.#records.push(...page.operations);
    this.#cursor = page.next_cursor;
    this.#more.hidden = !this.#cursor;
    this.#rows.append(...page.operations.map((operation) => this.#row(operation)));
    this.#note.textContent = this.#records.length === 0 ? 'Nothing that ran is like that.' : `${this.#records.length}${this.#cursor ? ' newest' : ''} shown`;
    this.#draw();
  }

  #row(operation) {
    const { description, operation_type: type } = operation;
    return element('tr', { 'data-status': operation.status },
      element('td', { textContent: moment(operation.finished_at ?? operation.updated_at) }),
      element('th', { scope: 'row' }, element('button', { type: 'button', className: 'link', textContent: description || typeWord(type), onclick: () => this.#details(operation.operation_id) })),
      element('td', { textContent: typeWord(type) }), element('td', { className: 'status', textContent: statusWord(operation) }),
      element('td', { textContent: duration(operation.uptime_seconds) }),
      element('td', { textContent: operation.unit === 'bytes' ? bytes(operation.completed_units) : '' }));
  }

  async #details(id) {
    const found = await attempt(() => Promise.all([get(`/api/ports/operations/${encodeURIComponent(id)}`), get(withQuery('/api/ports/events', { limit: 1000 })).catch(() => ({ events: [] }))]));
    if (!found) return;
    const record = found[0];
    const events = found[1].events.filter((event) => event.operation_id === id);
    const value = (item) => (item === null ? '' : typeof item === 'object' ? JSON.stringify(item, null, 1) : String(item));
    const rows = Object.entries(record).filter(([, item]) => item !== null).map(([key, item]) => element('div', {}, element('dt', { textContent: key.replaceAll('_', ' ') }), element('dd', { textContent: value(item) })));
    const dialog = element('dialog', { className: 'details', 'aria-labelledby': 'details-title' },
      element('h2', { id: 'details-title', textContent: record.description || id }), element('dl', { className: 'figures record' }, rows),
      element('h3', { textContent: 'Event log' }),
      element('ol', {}, events.map((event) => element('li', { textContent: [moment(event.timestamp), event.event_type.replaceAll('_', ' '), event.actor, event.details].filter(Boolean).join(' · ') }))),
      element('form', { method: 'dialog', className: 'actions' }, element('button', { className: 'primary', textContent: 'Close' })));
    document.body.append(dialog);
    dialog.addEventListener('close', () => dialog.remove());
    dialog.showModal();
  }

  async #summarise() {
    const answer = await attempt(() => get(`${root}/statistics`));
    const types = answer?.statistics ?? [];
    if (types.length === 0) return;
    const head = ['Type', 'Completed', 'Failed', 'Cancelled', 'Success', 'Median', '9 of 10 within', 'Throughput', 'Intervals that held', 'Error of estimates'];
    this.#statistics.replaceChildren(element('div', { className: 'scroll' }, element('table', {},
      element('thead', {}, element('tr', {}, head.map((text) => element('th', { scope: 'col', textContent: text })))),
      element('tbody', {}, types.map((entry) => {
        return element('tr', {}, element('th', { scope: 'row', textContent: typeWord(entry.operation_type) }),
          [entry.completed, entry.failed, entry.cancelled, entry.success_share === null ? '' : `${Math.round(100 * entry.success_share)} %`,
            duration(entry.p50_seconds), duration(entry.p90_seconds), entry.mean_bytes_per_second ? `${bytes(entry.mean_bytes_per_second)}/s` : '',
            entry.estimates > 0 ? `${Math.round(100 * entry.estimate_coverage)} % of ${entry.estimates}` : '',
            entry.estimates > 0 ? `${Math.round(100 * Math.expm1(entry.estimate_log_error))} %` : '']
            .map((text) => element('td', { textContent: text ?? '' })));
      })))));
  }

  #draw() {
    const ended = this.#records.filter((operation) => operation.finished_at);
    const byType = Map.groupBy(ended.filter((operation) => operation.status === 'completed' && operation.uptime_seconds !== null), (operation) => operation.operation_type);
    const points = (list, read) => list.map((operation) => [Date.parse(operation.finished_at), read(operation)]).sort((a, b) => a[0] - b[0]);
    const series = (read, keep = () => true) => [...byType].map(([type, list]) => ({ name: typeWord(type), kind: 'dots', points: points(list.filter(keep), read) })).filter((line) => line.points.length > 0);
    let completed = 0;
    const share = points(ended.filter((operation) => operation.status !== 'cancelled'), (operation) => operation.status).map(([time, status], index) => {
      completed += status === 'completed' ? 1 : 0;
      return [time, (100 * completed) / (index + 1)];
    });
    this.#plots.replaceChildren(
      plot({ title: 'Duration of what is shown below', unit: 's', series: series((operation) => operation.uptime_seconds) }),
      plot({ title: 'Success so far', unit: '%', most: 100, series: [{ name: 'completed of ended', kind: 'line', points: share }] }),
      plot({ title: 'Throughput', unit: 'MB/s', series: series((operation) => operation.completed_units / 1048576 / operation.uptime_seconds, (operation) => operation.unit === 'bytes' && operation.uptime_seconds > 0) }));
  }
}
