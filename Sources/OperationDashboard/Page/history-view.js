import { Asking, get, withQuery } from './api.js';
import { attempt } from './dialog.js';
import { showDetails } from './details-dialog.js';
import { clamped, element, scroller, setText, tableHead } from './dom.js';
import { amount, duration, megabyte, moment, nameOf, rate, shortMoment, statusWord, took, typeWord } from './format.js';
import { span } from './plot-drawing.js';
import { plot } from './plot.js';
import { showPlots } from './plots.js';

/** The types' colours are the same here as on the cards, and where two have the same, the shapes are not. */
const styles = new Map(Object.entries({ ok_setup: 0, install: 12, pull_model: 1, seed: 3, download: 5 }));
/** Those that types not named above get, in turn, and after these any. */
const otherStyles = [2, 4, 8, 10];

function styleOf(type) {
  if (!styles.has(type)) styles.set(type, otherStyles.shift() ?? 6 + styles.size);
  return styles.get(type);
}

const pageSize = 50;
/** How many rows that should have ended are asked after at once. */
const mostAskedAfter = 20;
/** How many runs are drawn: more would be a blot, and drawing them with each page would cost as its square. */
const mostDrawn = 500;
/** With more rows than these, the oldest are let go when something new comes in on top: a tab may be left open for weeks. */
const mostKept = 1000;

const root = '/api/ports/operations/history';

/** What has run: filters, pages without end, one run's details, and how long things take. */
export class HistoryView {
  #records = [];
  #cursor = null;
  /** Where pages ended: an operation, and the cursor to what follows it. The list can be cut there. */
  #ends = [];
  /** A page that is on its way, what is new, and the figures by type. */
  #loading = new Asking();
  #refreshing = new Asking();
  #summarising = new Asking();
  #types = new Set();
  #rowsByID = new Map();
  #store;
  #scheduled = null;
  #watching = null;
  #type = element('select', { name: 'type' }, element('option', { value: '', textContent: 'all' }));
  #rows = element('tbody');
  #more = element('button', { type: 'button', textContent: 'More', hidden: true, onclick: () => this.#load() });
  #again = element('button', { type: 'button', textContent: 'Try again', hidden: true, onclick: () => this.#load() });
  #statistics = element('div');
  #plots = element('div', { className: 'plots' });
  #note = element('p', { className: 'quiet', role: 'status' });
  #filter = element('form', { className: 'filter', 'aria-label': 'Filter', onsubmit: (event) => { event.preventDefault(); this.#reload(); }, onchange: () => this.#reload() },
    element('label', {}, 'Type', this.#type),
    element('label', {}, 'Status', element('select', { name: 'status' }, ['', 'completed', 'failed', 'cancelled', 'in_progress', 'paused', 'pending'].map((status) =>
      element('option', { value: status, textContent: status === '' ? 'all' : statusWord({ status }) })))),
    element('label', {}, 'Text', element('input', { name: 'text', type: 'search', oninput: ({ target }) => { if (target.value === '') this.#reload(); } })),
    element('label', {}, 'Since', element('input', { name: 'since', type: 'datetime-local', min: '1970-01-01T00:00', max: '9999-12-31T23:59' })));
  #watcher = new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting)) this.#load(); });
  node = element('section', { 'aria-labelledby': 'history-title' }, element('h2', { id: 'history-title', textContent: 'History' }),
    this.#statistics, this.#plots, this.#filter, this.#note, this.#again,
    scroller('What has run', element('table', { className: 'history stacked' }, tableHead(['What', 'Type', 'Status', 'Began', 'Ended', 'Took', 'Amount'], ['Took', 'Amount']), this.#rows)),
    this.#more);

  constructor(store) { this.#store = store; }

  show() {
    this.#reload();
    this.#summarise();
    this.#watcher.observe(this.#more);
    this.#store.addEventListener('step', this.#step);
    this.#store.addEventListener('ended', this.#change);
    this.#store.addEventListener('history', this.#catchUp);
    this.#watching = setInterval(() => { if (!document.hidden) this.#change(); }, 10_000);
  }

  /** Asks again where there was no answer, and else for what is new; what somebody reads stays. */
  restore() {
    if (this.#rows.hasChildNodes()) this.#change(); else this.#reload();
    if (!this.#statistics.hasChildNodes()) this.#summarise();
  }

  hide() {
    this.#watcher.disconnect();
    for (const asking of [this.#loading, this.#refreshing, this.#summarising]) asking.end();
    this.#store.removeEventListener('step', this.#step);
    this.#store.removeEventListener('ended', this.#change);
    this.#store.removeEventListener('history', this.#catchUp);
    clearInterval(this.#watching);
    clearTimeout(this.#scheduled);
    this.#scheduled = null;
  }

  /** The history isn't written for a wish alone: of what runs or waits, the list of what is active knows it. */
  #step = ({ detail: operation }) => {
    const row = this.#rowsByID.get(operation.operation_id);
    if (row && this.#isWanted(operation)) this.#showStatus(row, operation);
    else if (row) this.#drop(operation.operation_id);
    this.#change();
  };

  #showStatus(row, operation) {
    row.dataset.status = operation.status;
    setText(row.querySelector('.status'), statusWord(operation));
  }

  #change = () => {
    this.#scheduled ??= setTimeout(() => { this.#scheduled = null; this.#refresh(); }, 1000);
  };

  #reload() {
    if (!this.#filter.reportValidity()) return;
    this.#loading.end();
    this.#refreshing.end();
    this.#records = [];
    this.#cursor = null;
    this.#ends = [];
    this.#rows.replaceChildren();
    this.#plots.replaceChildren();
    this.#rowsByID.clear();
    this.#more.hidden = true;
    this.#note.textContent = '';
    this.#load();
  }

  async #load() {
    if (this.#loading.isOpen) return;
    const signal = this.#loading.begin();
    const page = await attempt(() => this.#page(this.#cursor, signal));
    // The filter may have been changed while this was on its way: another request has taken its place.
    if (signal.aborted) return;
    this.#loading.end();
    const hadFocus = document.activeElement === this.#again;
    this.#again.hidden = Boolean(page);
    if (!page) {
      this.#say(this.#records.length === 0 ? 'The history could not be asked for.' : `${this.#records.length} shown; what follows could not be asked for.`);
      return;
    }
    if (hadFocus) this.#rows.closest('.scroll').focus();
    const isDrawn = this.#records.length < mostDrawn;
    const operations = page.operations.filter((operation) => this.#isWanted(this.#now(operation)));
    this.#records.push(...operations);
    this.#offer(page.operations.map((operation) => operation.operation_type));
    this.#cursor = page.next_cursor;
    this.#more.hidden = !this.#cursor;
    this.#rows.append(...operations.map((operation) => this.#row(operation)));
    this.#keepEnd(page);
    this.#tell(true);
    if (isDrawn) this.#draw();
  }

  #page(cursor, signal, limit = pageSize) {
    const filter = Object.fromEntries(new FormData(this.#filter));
    if (filter.since) filter.since = new Date(filter.since).toISOString();
    return get(withQuery(root, { ...filter, cursor, limit }), { signal });
  }

  /** What comes by itself is not read out: where much runs, that would never end. */
  #say(text, isAskedFor = true) {
    this.#note.ariaLive = isAskedFor ? 'polite' : 'off';
    setText(this.#note, text);
  }

  #tell(isAskedFor = false) {
    const count = this.#records.length;
    this.#say(count === 0 ? 'Nothing that ran is like that.' : `${count}${this.#cursor ? ' newest' : ''} shown${count > mostDrawn ? `, the newest ${mostDrawn} of them in the plots` : ''}`, isAskedFor);
  }

  /** Takes in what is new among the newest, and what has changed there. One at a time: an older answer would not know what a newer one has brought. */
  async #refresh() {
    if (this.#loading.isOpen || this.#refreshing.isOpen) { this.#change(); return; }
    if (!this.#again.hidden || !this.#filter.checkValidity()) return;
    const before = this.#records;
    const signal = this.#refreshing.begin();
    const page = await this.#newest(signal).catch(() => null);
    if (signal.aborted) return;
    this.#refreshing.end();
    if (!page) return;
    if (this.#loading.isOpen || this.#records !== before) { this.#change(); return; }
    const { operations } = page;
    // More has come than there is room for, or this is another server's history; or there was none, and it has pages now.
    if (!this.#isKnown(operations) && operations.length + before.length > 0) { this.#reload(); this.#summarise(); return; }
    const changed = operations.filter((operation) => {
      const known = this.#records.find(({ operation_id: id }) => id === operation.operation_id);
      return !known || known.status !== operation.status;
    });
    // Each goes before what comes after it there: several may have begun at one time.
    let next = null;
    for (const operation of operations.toReversed()) {
      const { operation_id: id } = operation;
      if (changed.includes(operation)) {
        if (this.#isWanted(this.#now(operation))) this.#put(operation, next); else if (this.#rowsByID.has(id)) this.#drop(id);
      }
      if (this.#rowsByID.has(id)) next = id;
    }
    if (changed.length === 0) return;
    this.#keepEnd(page);
    this.#trim();
    this.#offer(changed.map((operation) => operation.operation_type));
    this.#tell();
    this.#draw();
    if (changed.some((operation) => operation.finished_at)) this.#summarise(true);
  }

  /** One page that goes on in what is shown, or a longer one where more than that has begun. */
  async #newest(signal) {
    const page = await this.#page(null, signal);
    return this.#records.length === 0 || this.#isKnown(page.operations) ? page : this.#page(null, signal, mostKept);
  }

  #isKnown(operations) { return operations.some(({ operation_id: id }) => this.#rowsByID.has(id)); }

  /** What is shown as running and runs no more is asked after, wherever in the list it stands. */
  #catchUp = async ({ detail: active }) => {
    const unsure = this.#records.filter(({ operation_id: id, finished_at: finished }) => !finished && !active.has(id)).slice(0, mostAskedAfter);
    for (const { operation_id: id } of unsure) {
      const operation = await get(`/api/ports/operations/${id}`).catch(() => null);
      if (!operation?.finished_at || !this.#rowsByID.has(id)) continue;
      if (this.#isWanted(operation)) this.#put(operation); else this.#drop(id);
      this.#draw();
    }
  };

  /** An answer's operation as it is now: the stream may have told more since that was asked for. */
  #now(operation) { return operation.finished_at ? operation : this.#store.operations.get(operation.operation_id) ?? operation; }

  /** Whether it has the status that is filtered by. */
  #isWanted({ status }) {
    const { value } = this.#filter.elements.status;
    return value === '' || value === status;
  }

  /** Takes out what has become something else than what is filtered by. */
  #drop(id) {
    const row = this.#rowsByID.get(id);
    const hadFocus = row.contains(document.activeElement);
    const neighbour = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    this.#rowsByID.delete(id);
    this.#records = this.#records.filter((record) => record.operation_id !== id);
    this.#tell();
    if (hadFocus) (neighbour?.querySelector('button') ?? this.#rows.closest('.scroll')).focus();
  }

  /** Shows an operation as it is now: in the place of what was shown of it, or before the operation `next`, or else where it belongs by its age. */
  #put(operation, next = null) {
    const { operation_id: id, created_at: created } = operation;
    const row = this.#rowsByID.get(id);
    if (row) {
      const hadFocus = row.contains(document.activeElement);
      this.#records = this.#records.map((record) => (record.operation_id === id ? operation : record));
      const button = row.querySelector('button');
      row.replaceWith(this.#row(operation));
      // The button stays: details that were opened by it give the focus back to it.
      this.#rowsByID.get(id).querySelector('button').replaceWith(button);
      if (hadFocus) button.focus();
      return;
    }
    const place = this.#records.findIndex((record) => (next ? record.operation_id === next : record.created_at < created));
    // It comes with a later page.
    if (place < 0 && this.#cursor) return;
    const below = place < 0 ? null : this.#rowsByID.get(this.#records[place].operation_id);
    this.#records = this.#records.toSpliced(place < 0 ? this.#records.length : place, 0, operation);
    this.#rows.insertBefore(this.#row(operation), below);
  }

  #keepEnd({ operations, next_cursor: cursor }) {
    const id = operations.at(-1)?.operation_id;
    const isKept = operations.some((operation) => this.#ends.some((end) => end.id === operation.operation_id));
    if (cursor && !isKept && this.#rowsByID.has(id)) this.#ends.push({ id, cursor });
  }

  /** Lets the oldest go, unless somebody is at them. They come again with scrolling. */
  #trim() {
    if (this.#records.length <= mostKept) return;
    const places = new Map(this.#records.map(({ operation_id: id }, place) => [id, place]));
    const ends = this.#ends.filter(({ id }) => places.get(id) >= mostDrawn - 1).sort((a, b) => places.get(a.id) - places.get(b.id));
    if (ends.length === 0) return;
    const [{ id: last, cursor }] = ends;
    const gone = this.#records.slice(places.get(last) + 1).map(({ operation_id: id }) => this.#rowsByID.get(id));
    if (gone.length === 0 || gone[0].getBoundingClientRect().top < innerHeight || gone.some((row) => row.contains(document.activeElement))) return;
    for (const { operation_id: id } of this.#records.splice(places.get(last) + 1)) this.#rowsByID.delete(id);
    for (const row of gone) row.remove();
    this.#ends = this.#ends.filter(({ id }) => this.#rowsByID.has(id));
    this.#cursor = cursor;
    this.#more.hidden = false;
  }

  /** Adds types to those that can be filtered by, in the words that the table shows. */
  #offer(types) {
    const known = this.#types.size;
    for (const type of types) this.#types.add(type);
    if (this.#types.size === known) return;
    const chosen = this.#type.value;
    this.#type.replaceChildren(this.#type.firstChild, ...[...this.#types].sort().map((value) => element('option', { value, textContent: typeWord(value) })));
    this.#type.value = chosen;
  }

  #row(operation) {
    const { operation_id: id, operation_type: type, finished_at: finished } = operation;
    const when = (text) => element('td', {}, text ? element('time', { dateTime: text, textContent: shortMoment(text), title: moment(text) }) : '');
    const row = element('tr', {},
      element('th', { scope: 'row' }, element('button', { type: 'button', className: 'link', onclick: () => showDetails(id) }, clamped(nameOf(operation)))),
      element('td', { textContent: typeWord(type) }), element('td', {}, element('span', { className: 'status' })),
      when(operation.started_at), when(finished),
      element('td', { className: 'number', textContent: duration(took(operation)) }),
      element('td', { className: 'number', textContent: finished && operation.completed_units > 0 ? amount({ ...operation, total_units: null }) : '' }));
    this.#showStatus(row, this.#now(operation));
    this.#rowsByID.set(id, row);
    return row;
  }

  /** `quietly`: where they are shown already, and only if nobody is at them. Of two that are on their way, the newer is shown. */
  async #summarise(quietly = this.#statistics.hasChildNodes()) {
    const signal = this.#summarising.begin();
    const asked = get(`${root}/statistics`, { signal });
    const answer = await (quietly ? asked.catch(() => null) : attempt(() => asked));
    if (signal.aborted || !answer || (quietly && this.#statistics.contains(document.activeElement))) return;
    const types = answer.statistics;
    this.#offer(types.map((entry) => entry.operation_type));
    if (types.length === 0) { this.#statistics.replaceChildren(); return; }
    const areJudged = types.some((entry) => entry.estimates > 0);
    const head = ['Type', 'Completed', 'Failed', 'Cancelled', 'Success', 'Median', '9 of 10 within', 'Throughput', ...(areJudged ? ['Intervals that held', 'Error of estimates'] : [])];
    this.#statistics.replaceChildren(scroller('How often and how long, by type', element('table', { className: 'statistics' }, tableHead(head, head.slice(1)),
      element('tbody', {}, types.map((entry) => {
        return element('tr', {}, element('th', { scope: 'row', textContent: typeWord(entry.operation_type) }),
          [entry.completed, entry.failed, entry.cancelled, entry.success_share === null ? '' : `${Math.round(100 * entry.success_share)} %`,
            duration(entry.p50_seconds), duration(entry.p90_seconds), entry.mean_bytes_per_second ? rate(entry.mean_bytes_per_second) : '',
            ...(areJudged ? judged(entry) : [])]
            .map((text) => element('td', { className: 'number', textContent: text ?? '' })));
      })))));
  }

  #draw() {
    const ended = this.#records.slice(0, mostDrawn).filter((operation) => operation.finished_at);
    const byType = Map.groupBy(ended.filter((operation) => operation.status === 'completed' && operation.uptime_seconds !== null), (operation) => operation.operation_type);
    const points = (list, read) => list.map((operation) => [Date.parse(operation.finished_at), read(operation)]).sort((a, b) => a[0] - b[0]);
    const series = (read, keep = () => true) => [...byType].sort(([one], [other]) => one.localeCompare(other)).map(([type, list]) => ({ name: typeWord(type), kind: 'dots', style: styleOf(type), points: points(list.filter(keep), read) })).filter((line) => line.points.length > 0);
    let completed = 0;
    const share = points(ended.filter((operation) => operation.status !== 'cancelled'), (operation) => operation.status).map(([time, status], index) => {
      completed += status === 'completed' ? 1 : 0;
      return [time, (100 * completed) / (index + 1)];
    });
    const longest = ended.reduce((most, operation) => Math.max(most, operation.uptime_seconds ?? 0), 0);
    const [unit, size] = longest > 7200 ? ['h', 3600] : longest > 180 ? ['min', 60] : ['s', 1];
    const isTransfer = (operation) => operation.unit === 'bytes' && operation.completed_units > 0 && operation.uptime_seconds > 0;
    const plots = [
      { title: 'Duration', unit, empty: 'None of these has completed.', series: series((operation) => operation.uptime_seconds / size) },
      { title: this.#filter.elements.status.value ? 'Success share among that status' : 'Success share', unit: '%', most: 100, empty: 'All of these were cancelled.', series: share.length > 0 ? [{ name: 'completed of those drawn', kind: 'steps', points: share }] : [] },
      { title: 'Throughput', unit: 'MB/s', empty: 'None of these has completed a transfer.', series: series((operation) => operation.completed_units / megabyte / operation.uptime_seconds, isTransfer) },
    ];
    // One time axis for all of them: what stands above each other happened at one time.
    const [from, to] = span(plots.flatMap((one) => one.series));
    if (ended.length === 0) this.#plots.replaceChildren();
    else showPlots(this.#plots, plots.map((one) => plot({ ...one, from, to })));
  }
}

/** How good the time remaining was that people were told. */
function judged({ estimates, estimate_coverage: coverage, estimate_log_error: error, recent_estimates: recent, recent_estimate_coverage: lately }) {
  const since = recent > 0 && recent < estimates ? `; last 30 days: ${Math.round(100 * lately)} % of ${recent}` : '';
  return estimates > 0 ? [`${Math.round(100 * coverage)} % of ${estimates}${since}`, `${Math.round(100 * Math.expm1(error))} %`] : ['', ''];
}
