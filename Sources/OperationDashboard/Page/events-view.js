import { get, withQuery } from './api.js';
import { attempt } from './dialog.js';
import { element } from './dom.js';
import { moment } from './format.js';

/** Who started, ended, killed and restarted what. What happens while it is looked at comes in on top. */
export class EventsView {
  #store;
  #cursor = null;
  #newest = null;
  #rows = element('tbody');
  #more = element('button', { type: 'button', textContent: 'More', hidden: true, onclick: () => this.#load() });
  #scheduled = null;
  node = element('section', { 'aria-labelledby': 'events-title' }, element('h2', { id: 'events-title', textContent: 'Events' }),
    element('div', { className: 'scroll' }, element('table', {},
      element('thead', {}, element('tr', {}, ['When', 'What', 'By whom', 'Operation', 'Detail'].map((text) => element('th', { scope: 'col', textContent: text })))), this.#rows)),
    this.#more);

  constructor(store) { this.#store = store; }

  show() {
    this.#rows.replaceChildren();
    this.#cursor = null;
    this.#newest = null;
    this.#load();
    this.#store.addEventListener('change', this.#change);
    this.#store.addEventListener('ended', this.#change);
  }

  hide() {
    this.#store.removeEventListener('change', this.#change);
    this.#store.removeEventListener('ended', this.#change);
    clearTimeout(this.#scheduled);
    this.#scheduled = null;
  }

  /** The log grows when operations change, but not with each change. */
  #change = () => {
    this.#scheduled ??= setTimeout(() => { this.#scheduled = null; this.#refresh(); }, 1000);
  };

  async #load() {
    const page = await attempt(() => get(withQuery('/api/ports/events', { cursor: this.#cursor, limit: 100 })));
    if (!page) return;
    this.#newest ??= this.#key(page.events[0]);
    this.#cursor = page.next_cursor;
    this.#more.hidden = !this.#cursor;
    this.#rows.append(...page.events.map((event) => this.#row(event)));
  }

  async #refresh() {
    const page = await get(withQuery('/api/ports/events', { limit: 100 })).catch(() => null);
    if (!page) return;
    const known = page.events.findIndex((event) => this.#key(event) === this.#newest);
    const fresh = known < 0 ? page.events : page.events.slice(0, known);
    if (fresh.length === 0) return;
    this.#newest = this.#key(fresh[0]);
    this.#rows.prepend(...fresh.map((event) => this.#row(event)));
  }

  #key(event) { return event ? JSON.stringify(event) : null; }

  #row(event) {
    return element('tr', {}, [moment(event.timestamp), event.event_type.replaceAll('_', ' '), event.actor, event.operation_id, event.details].map((text) => element('td', { textContent: text ?? '' })));
  }
}
