import { get, withQuery } from './api.js';
import { Asking, Lookout } from './asking.js';
import { attempt } from './dialog.js';
import { eventWord, showDetails } from './details-dialog.js';
import { clamped, element, scroller, setHidden, setText, tableHead } from './dom.js';
import { moment, shortMoment } from './format.js';

const pageSize = 100;
/** How many rows there are at most: a tab may be left open for weeks. */
const mostShown = 1000;

/** Who started, ended, killed and restarted what. What happens while it is looked at comes in on top. */
export class EventsView {
  #store;
  #cursor = null;
  #newest = null;
  /** A page that is on its way, and what is new. */
  #loading = new Asking();
  #refreshing = new Asking();
  #rows = element('tbody');
  #more = element('button', { type: 'button', textContent: 'More', hidden: true, onclick: () => this.#load() });
  #note = element('p', { className: 'quiet', hidden: true });
  /** The log grows when operations take a step, not with their progress; and by what others do with processes and ports. */
  #lookout = new Lookout(() => this.#refresh());
  node = element('section', { 'aria-labelledby': 'events-title' }, element('h2', { id: 'events-title', textContent: 'Events' }),
    scroller('Events, newest first', element('table', { className: 'events stacked' }, tableHead(['When', 'What', 'Detail', 'By whom', 'Operation']), this.#rows)),
    this.#more, this.#note);

  constructor(store) { this.#store = store; }

  show() {
    this.#reload();
    this.#store.addEventListener('step', this.#lookout.soon);
    this.#lookout.begin();
  }

  /** Asks again where there was no answer, and else for what is new. */
  restore() { return this.#rows.hasChildNodes() ? this.#lookout.soon() : this.#load(); }

  hide() {
    this.#store.removeEventListener('step', this.#lookout.soon);
    this.#lookout.end();
    this.#loading.end();
    this.#refreshing.end();
  }

  #reload() {
    this.#loading.end();
    this.#refreshing.end();
    this.#rows.replaceChildren();
    this.#cursor = null;
    this.#newest = null;
    this.#load();
  }

  async #load() {
    if (this.#loading.isOpen) return;
    const signal = this.#loading.begin();
    const page = await attempt(() => get(withQuery('/api/ports/events', { cursor: this.#cursor, limit: pageSize }), { signal }), () => this.#load());
    if (signal.aborted) return;
    this.#loading.end();
    if (!page) return;
    this.#newest ??= this.#key(page.events[0]);
    this.#cursor = page.next_cursor;
    const rows = page.events.map((event) => this.#row(event));
    this.#rows.append(...rows);
    // Reading goes on with what has come.
    this.#trim(rows[0]?.querySelector('button'));
  }

  /** Lets the oldest go, unless somebody is at them. A button for more that goes with the focus leaves that to `heir`. */
  #trim(heir) {
    const gone = [...this.#rows.children].slice(mostShown);
    const isRead = gone.length > 0 && (gone[0].getBoundingClientRect().top < innerHeight || gone.some((row) => row.contains(document.activeElement)));
    if (!isRead) for (const row of gone) row.remove();
    const count = this.#rows.childElementCount;
    const isFull = count >= mostShown;
    setText(this.#note, `The newest ${count} are shown.`);
    setHidden(this.#more, !this.#cursor || isFull, heir ?? this.#rows.closest('.scroll'));
    this.#note.hidden = !isFull;
  }

  /** One at a time: an older answer would not know what a newer one has brought. */
  async #refresh() {
    if (this.#loading.isOpen || this.#refreshing.isOpen) { this.#lookout.soon(); return; }
    const signal = this.#refreshing.begin();
    const [page, known] = await this.#fresh(signal).catch(() => []);
    if (signal.aborted) return;
    this.#refreshing.end();
    if (!page) return;
    if (this.#loading.isOpen) { this.#lookout.soon(); return; }
    // More has happened than there is room for, and what lies between would be missing; or this is another server's log.
    if (known < 0 && this.#newest) { this.#reload(); return; }
    const fresh = known < 0 ? page.events : page.events.slice(0, known);
    if (fresh.length === 0) return;
    // The first page didn't come before, or was empty: this is the first.
    if (!this.#newest) this.#cursor = page.next_cursor;
    this.#newest = this.#key(fresh[0]);
    this.#rows.prepend(...fresh.map((event) => this.#row(event)));
    this.#trim();
  }

  /** The newest events, and the place among them of what was the newest before: one page, unless more than that has happened. */
  async #fresh(signal) {
    for (const limit of [pageSize, mostShown]) {
      const page = await get(withQuery('/api/ports/events', { limit }), { signal });
      const known = page.events.findIndex((event) => this.#key(event) === this.#newest);
      if (known >= 0 || !this.#newest || limit === mostShown) return [page, known];
    }
  }

  #key(event) { return event ? JSON.stringify(event) : null; }

  #row({ timestamp, event_type: type, actor, operation_id: id, details }) {
    const ending = /^operation\.(completed|failed|cancelled)$/.exec(type)?.[1];
    return element('tr', ending ? { 'data-status': ending } : {},
      element('td', {}, element('time', { dateTime: timestamp, textContent: shortMoment(timestamp), title: moment(timestamp) })),
      element('th', { scope: 'row' }, element('span', { className: 'status', textContent: eventWord(type) })),
      element('td', { className: 'detail' }, id ? clamped(details ?? '') : details), element('td', { textContent: actor ?? '' }),
      element('td', {}, id ? element('button', { type: 'button', className: 'link', textContent: id, onclick: () => showDetails(id) }) : ''));
  }
}
