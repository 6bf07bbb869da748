import { get, withQuery } from './api.js';
import { Asking, Lookout } from './asking.js';
import { attempt } from './dialog.js';
import { showDetails } from './details-dialog.js';
import { clamped, element, scroller, setHidden, setText, tableHead } from './dom.js';
import { amount, duration, moment, nameOf, shortMoment, statusWord, took, typeWord } from './format.js';
import { HistoryFigures } from './history-figures.js';

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
  /** By its id, each run that is shown, and the row that shows it; the rows stand in the order of the list. */
  #runs = new Map();
  #cursor = null;
  /** Where pages ended: an operation, and the cursor to what follows it. The list can be cut there. */
  #ends = [];
  /** A page that is on its way, what is new, and the figures by type. */
  #loading = new Asking();
  #refreshing = new Asking();
  #summarising = new Asking();
  #types = new Set();
  #store;
  #lookout = new Lookout(() => this.#refresh());
  #type = element('select', { name: 'type' }, element('option', { value: '', textContent: 'all' }));
  #rows = element('tbody');
  #more = element('button', { type: 'button', textContent: 'More', hidden: true, onclick: () => this.#load() });
  #again = element('button', { type: 'button', textContent: 'Try again', hidden: true, onclick: () => this.#load() });
  #figures = new HistoryFigures();
  #note = element('p', { className: 'quiet', role: 'status' });
  /** What is asked for: the form as it was when it was submitted last. */
  #filter = {};
  #form = element('form', { className: 'filter', 'aria-label': 'Filter', onsubmit: (event) => { event.preventDefault(); this.#submit(); }, onchange: () => this.#submit() },
    element('label', {}, 'Type', this.#type),
    element('label', {}, 'Status', element('select', { name: 'status' }, ['', 'completed', 'failed', 'cancelled', 'in_progress', 'paused', 'pending'].map((status) =>
      element('option', { value: status, textContent: status === '' ? 'all' : statusWord({ status }) })))),
    element('label', {}, 'Text', element('input', { name: 'text', type: 'search', oninput: ({ target }) => { if (target.value === '') this.#submit(); } })),
    element('label', {}, 'Since', element('input', {
      name: 'since', type: 'datetime-local', min: '1970-01-01T00:00', max: '9999-12-31T23:59',
      // It changes with each digit: a complaint of one that is not all there would take the focus, and the next digit elsewhere.
      onchange: (event) => { if (!event.target.checkValidity()) event.stopPropagation(); },
    })));
  #watcher = new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting)) this.#load(); });
  node = element('section', { 'aria-labelledby': 'history-title' }, element('h2', { id: 'history-title', textContent: 'History' }),
    ...this.#figures.nodes, this.#form, this.#note, this.#again,
    scroller('What has run', element('table', { className: 'history stacked' }, tableHead(['What', 'Type', 'Status', 'Began', 'Ended', 'Took', 'Amount'], ['Took', 'Amount']), this.#rows)),
    this.#more);

  constructor(store) { this.#store = store; }

  show() {
    this.#reload(true);
    this.#summarise();
    this.#watcher.observe(this.#more);
    this.#store.addEventListener('step', this.#step);
    this.#store.addEventListener('ended', this.#lookout.soon);
    this.#store.addEventListener('history', this.#catchUp);
    this.#lookout.begin();
  }

  /** Asks again where there was no answer, and else for what is new; what somebody reads stays. */
  restore() {
    return Promise.all([
      this.#rows.hasChildNodes() && this.#again.hidden ? this.#lookout.soon() : this.#load(),
      this.#figures.areShown ? null : this.#summarise(),
    ]);
  }

  hide() {
    this.#watcher.disconnect();
    for (const asking of [this.#loading, this.#refreshing, this.#summarising]) asking.end();
    this.#store.removeEventListener('step', this.#step);
    this.#store.removeEventListener('ended', this.#lookout.soon);
    this.#store.removeEventListener('history', this.#catchUp);
    this.#lookout.end();
  }

  /** The history isn't written for a wish alone: of what runs or waits, the list of what is active knows it. */
  #step = ({ detail: operation }) => {
    const shown = this.#runs.get(operation.operation_id);
    if (shown && this.#isWanted(operation)) this.#showStatus(shown.row, operation);
    else if (shown) this.#drop(operation.operation_id);
    this.#lookout.soon();
  };

  #showStatus(row, operation) {
    row.dataset.status = operation.status;
    setText(row.querySelector('.status'), statusWord(operation));
  }

  #submit() {
    if (!this.#form.reportValidity()) return;
    const { since, ...rest } = Object.fromEntries(new FormData(this.#form));
    const filter = { ...rest, since: since && new Date(since).toISOString() };
    // What was submitted is submitted again when its field is left: a row that is pressed for that must not go from under the pointer.
    if (withQuery(root, filter) === withQuery(root, this.#filter) && this.#again.hidden) return;
    this.#filter = filter;
    this.#reload(true);
  }

  /** `isAskedFor`: by a person, who is to hear what has come of it. */
  #reload(isAskedFor) {
    this.#loading.end();
    this.#refreshing.end();
    this.#runs.clear();
    this.#cursor = null;
    this.#ends = [];
    this.#rows.replaceChildren();
    this.#figures.clear();
    setHidden(this.#more, true, this.#rows.closest('.scroll'));
    this.#note.textContent = '';
    this.#load(isAskedFor);
  }

  async #load(isAskedFor = true) {
    if (this.#loading.isOpen) return;
    const signal = this.#loading.begin();
    const page = await attempt(() => this.#page(this.#cursor, signal));
    // The filter may have been changed while this was on its way: another request has taken its place.
    if (signal.aborted) return;
    this.#loading.end();
    const hadFocus = document.activeElement === this.#again;
    this.#again.hidden = Boolean(page);
    if (!page) {
      this.#say(this.#runs.size === 0 ? 'The history could not be asked for.' : `${this.#runs.size} shown; what follows could not be asked for.`);
      return;
    }
    if (hadFocus) this.#rows.closest('.scroll').focus();
    const isDrawn = this.#runs.size < mostDrawn;
    const operations = page.operations.filter((operation) => this.#isWanted(this.#now(operation)));
    this.#offer(page.operations.map((operation) => operation.operation_type));
    this.#cursor = page.next_cursor;
    const rows = operations.map((operation) => this.#row(operation));
    this.#rows.append(...rows);
    // Reading goes on with what has come.
    setHidden(this.#more, !this.#cursor, rows[0]?.querySelector('button') ?? this.#rows.closest('.scroll'));
    this.#keepEnd(page);
    this.#tell(isAskedFor);
    if (isDrawn) this.#draw();
  }

  #page(cursor, signal, limit = pageSize) {
    return get(withQuery(root, { ...this.#filter, cursor, limit }), { signal });
  }

  /** What comes by itself is not read out: where much runs, that would never end. */
  #say(text, isAskedFor = true) {
    this.#note.ariaLive = isAskedFor ? 'polite' : 'off';
    setText(this.#note, text);
  }

  #tell(isAskedFor = false) {
    const count = this.#runs.size;
    this.#say(count === 0 ? 'Nothing that ran is like that.' : `${count}${this.#cursor ? ' newest' : ''} shown${count > mostDrawn ? `, the newest ${mostDrawn} of them in the plots` : ''}`, isAskedFor);
  }

  /** Takes in what is new among the newest, and what has changed there. One at a time: an older answer would not know what a newer one has brought. */
  async #refresh() {
    if (this.#loading.isOpen || this.#refreshing.isOpen) { this.#lookout.soon(); return; }
    if (!this.#again.hidden) return;
    const signal = this.#refreshing.begin();
    const page = await this.#newest(signal).catch(() => null);
    if (signal.aborted) return;
    this.#refreshing.end();
    if (!page) return;
    if (this.#loading.isOpen) { this.#lookout.soon(); return; }
    const { operations } = page;
    // More has come than there is room for, or this is another server's history; or there was none, and it has pages now.
    if (!this.#isKnown(operations) && operations.length + this.#runs.size > 0) { this.#reload(false); this.#summarise(); return; }
    const changed = operations.filter(({ operation_id: id, status }) => this.#runs.get(id)?.operation.status !== status);
    const isChanged = new Set(changed);
    // Each goes before what comes after it there: several may have begun at one time.
    let next = null;
    for (const operation of operations.toReversed()) {
      const { operation_id: id } = operation;
      if (isChanged.has(operation)) {
        if (this.#isWanted(this.#now(operation))) this.#put(operation, next); else if (this.#runs.has(id)) this.#drop(id);
      }
      next = this.#runs.get(id)?.row ?? next;
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
    return this.#runs.size === 0 || this.#isKnown(page.operations) ? page : this.#page(null, signal, mostKept);
  }

  #isKnown(operations) { return operations.some(({ operation_id: id }) => this.#runs.has(id)); }

  /** What is shown as running and runs no more is asked after, wherever in the list it stands. */
  #catchUp = async ({ detail: active }) => {
    const unsure = [...this.#runs].filter(([id, { operation }]) => !operation.finished_at && !active.has(id)).slice(0, mostAskedAfter);
    for (const [id] of unsure) {
      const operation = await get(`/api/ports/operations/${id}`).catch(() => null);
      if (!operation?.finished_at || !this.#runs.has(id)) continue;
      if (this.#isWanted(operation)) this.#put(operation); else this.#drop(id);
      this.#draw();
    }
  };

  /** An answer's operation as it is now: the stream may have told more since that was asked for. */
  #now(operation) { return operation.finished_at ? operation : this.#store.operations.get(operation.operation_id) ?? operation; }

  /** Whether it has the status that is filtered by. */
  #isWanted({ status }) { return !this.#filter.status || this.#filter.status === status; }

  /** Takes out what has become something else than what is filtered by. */
  #drop(id) {
    const { row } = this.#runs.get(id);
    const hadFocus = row.contains(document.activeElement);
    const neighbour = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    this.#runs.delete(id);
    this.#outdate();
    this.#tell();
    if (hadFocus) (neighbour?.querySelector('button') ?? this.#rows.closest('.scroll')).focus({ preventScroll: true });
  }

  /** Shows an operation as it is now: in the place of what was shown of it, or before the row `next`, or else where it belongs by its age. */
  #put(operation, next = null) {
    const { operation_id: id, created_at: created } = operation;
    const before = this.#runs.get(id)?.row;
    this.#outdate();
    if (before) {
      const hadFocus = before.contains(document.activeElement);
      const button = before.querySelector('button');
      const row = this.#row(operation);
      before.replaceWith(row);
      // The button stays: details that were opened by it give the focus back to it.
      row.querySelector('button').replaceWith(button);
      if (hadFocus) button.focus({ preventScroll: true });
      return;
    }
    const below = next ?? this.#shown.find((run) => run.operation.created_at < created)?.row ?? null;
    // It comes with a later page.
    if (!below && this.#cursor) return;
    this.#rows.insertBefore(this.#row(operation), below);
  }

  /** An answer that is on its way may not know yet what has come meanwhile: it is asked for anew. */
  #outdate() {
    if (!this.#refreshing.isOpen) return;
    this.#refreshing.end();
    this.#lookout.soon();
  }

  /** The runs in the order of the list. */
  get #shown() { return [...this.#rows.children].map((row) => this.#runs.get(row.dataset.id)); }

  #draw() { this.#figures.draw(this.#shown.slice(0, mostDrawn).map(({ operation }) => operation), Boolean(this.#filter.status)); }

  #keepEnd({ operations, next_cursor: cursor }) {
    const id = operations.at(-1)?.operation_id;
    const isKept = operations.some((operation) => this.#ends.some((end) => end.id === operation.operation_id));
    if (cursor && !isKept && this.#runs.has(id)) this.#ends.push({ id, cursor });
  }

  /** Lets the oldest go, unless somebody is at them. They come again with scrolling. */
  #trim() {
    if (this.#runs.size <= mostKept) return;
    const rows = [...this.#rows.children];
    const places = new Map(rows.map((row, place) => [row.dataset.id, place]));
    const ends = this.#ends.filter(({ id }) => places.get(id) >= mostDrawn - 1).sort((a, b) => places.get(a.id) - places.get(b.id));
    if (ends.length === 0) return;
    const [{ id: last, cursor }] = ends;
    const gone = rows.slice(places.get(last) + 1);
    if (gone.length === 0 || gone[0].getBoundingClientRect().top < innerHeight || gone.some((row) => row.contains(document.activeElement))) return;
    for (const row of gone) {
      this.#runs.delete(row.dataset.id);
      row.remove();
    }
    this.#ends = this.#ends.filter(({ id }) => this.#runs.has(id));
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
    const row = element('tr', { 'data-id': id },
      element('th', { scope: 'row' }, element('button', { type: 'button', className: 'link', onclick: () => showDetails(id) }, clamped(nameOf(operation)))),
      element('td', { textContent: typeWord(type) }), element('td', {}, element('span', { className: 'status' })),
      when(operation.started_at), when(finished),
      element('td', { className: 'number', textContent: duration(took(operation)) }),
      element('td', { className: 'number', textContent: finished && operation.completed_units > 0 ? amount({ ...operation, total_units: null }) : '' }));
    this.#showStatus(row, this.#now(operation));
    this.#runs.set(id, { operation, row });
    return row;
  }

  /** `quietly`: where they are shown already, and only if nobody is at them. Of two that are on their way, the newer is shown. */
  async #summarise(quietly = this.#figures.areShown) {
    const signal = this.#summarising.begin();
    const asked = get(`${root}/statistics`, { signal });
    const answer = await (quietly ? asked.catch(() => null) : attempt(() => asked));
    if (signal.aborted || !answer || (quietly && this.#figures.areRead)) return;
    this.#offer(answer.statistics.map((entry) => entry.operation_type));
    this.#figures.show(answer.statistics);
  }
}
