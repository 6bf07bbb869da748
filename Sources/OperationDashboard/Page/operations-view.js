import { get } from './api.js';
import { element, setHidden, setText } from './dom.js';
import { speed } from './format.js';
import { OperationCard } from './operation-card.js';

/** How long cards are drawn in one frame, in ms: what is left waits for the next, so that hundreds don't cost a frame. */
const budget = 6;
/** How long, in ms, until what is known of types is asked for again where that failed. */
const patience = 5000;

/** All that runs or waits, a card each, parts under what they are parts of. */
export class OperationsView {
  #store;
  #cards = new Map();
  #waiting = new Set();
  /** The cards in view or close to it. What merely moves on elsewhere is not drawn before it comes there. */
  #near = new Set();
  /** What has moved on elsewhere. */
  #stale = new Set();
  #watcher = new IntersectionObserver((entries) => this.#notice(entries), { rootMargin: '50% 0px' });
  #isDrawing = false;
  #clock = null;
  #later = null;
  /** What is known of types: whether their work can pause, and keeps to a limit. */
  #providers = new Map();
  #list = element('ul', { className: 'cards', role: 'list', 'aria-label': 'Operations' });
  #count = element('p', { className: 'quiet' });
  #empty = element('p', { className: 'empty', hidden: true }, 'Nothing runs. ', element('a', { href: '#/start', textContent: 'Start something' }),
    ', or look at ', element('a', { href: '#/history', textContent: 'what has run' }), '.');
  node = element('section', { 'aria-labelledby': 'operations-title' },
    element('header', { className: 'title' }, element('h2', { id: 'operations-title', textContent: 'Running' }), this.#count),
    this.#empty, this.#list);

  constructor(store) {
    this.#store = store;
  }

  show() {
    this.#store.addEventListener('change', this.#change);
    this.#updateAll();
    this.restore();
    this.#clock = setInterval(() => { if (!document.hidden) for (const id of this.#near) this.#cards.get(id)?.showTime(); }, 1000);
  }

  /** Asks for the providers, such as when the server is back. */
  async restore() {
    clearTimeout(this.#later);
    const answer = await get('/api/ports/providers').catch(() => null);
    // Cards are of use without it: nobody need be told.
    if (!answer && this.node.isConnected) this.#later = setTimeout(() => this.restore(), patience);
    if (!answer) return;
    this.#providers = new Map(answer.providers.map((provider) => [provider.operation_type, provider]));
    if (this.node.isConnected) this.#updateAll();
  }

  hide() {
    this.#store.removeEventListener('change', this.#change);
    clearInterval(this.#clock);
    clearTimeout(this.#later);
  }

  #updateAll() { this.#update([...this.#store.operations.keys(), ...this.#cards.keys()]); }

  #change = ({ detail }) => this.#update(detail);

  #update(changed) {
    for (const id of changed) this.#waiting.add(id);
    if (!this.#isDrawing) this.#draw();
    const all = [...this.#store.operations.values()].filter((operation) => !operation.finished_at);
    const active = all.filter((operation) => !operation.isElsewhere);
    const count = (status) => active.filter((operation) => operation.status === status).length;
    const words = [[count('in_progress'), 'running'], [count('pending'), 'waiting'], [count('paused'), 'paused'], [all.length - active.length, 'in another process']];
    // What a whole reports has its parts' share in it.
    const rate = active.filter((operation) => operation.status === 'in_progress' && !this.#store.operations.has(operation.parent_id))
      .reduce((sum, operation) => sum + (operation.resource_impact.network_mbps ?? 0), 0);
    const { isReached } = this.#store;
    setText(this.#count, [...words.filter(([number]) => number > 0).map(([number, word]) => `${number} ${word}${isReached ? '' : ' when last heard of'}`), isReached ? speed(rate) : ''].filter(Boolean).join(', '));
    setHidden(this.#empty, !this.#store.isLoaded || this.#store.operations.size > 0);
  }

  #notice(entries) {
    for (const { target: { dataset: { id } }, isIntersecting } of entries) {
      if (!isIntersecting) { this.#near.delete(id); continue; }
      this.#near.add(id);
      if (this.#stale.has(id)) this.#waiting.add(id);
    }
    if (!this.#isDrawing && this.#waiting.size > 0) this.#draw();
  }

  #draw() {
    this.#isDrawing = true;
    const end = performance.now() + budget;
    for (const id of this.#waiting) {
      this.#waiting.delete(id);
      this.#drawCard(id);
      if (performance.now() > end) break;
    }
    this.#isDrawing = this.#waiting.size > 0;
    if (this.#isDrawing) requestAnimationFrame(() => this.#draw());
  }

  #drawCard(id) {
    const operation = this.#store.operations.get(id);
    const card = this.#cards.get(id);
    if (!operation) {
      this.#cards.delete(id);
      this.#near.delete(id);
      this.#stale.delete(id);
      if (card) this.#remove(card);
    } else if (card && !this.#near.has(id) && card.shows(operation)) {
      this.#stale.add(id);
    } else if (card) {
      this.#stale.delete(id);
      card.update(operation, this.#store.speeds.get(id) ?? [], this.#providers.get(operation.operation_type), this.#store.isReached);
    } else {
      // A part's card stands in that of its whole.
      const { parent_id: parent } = operation;
      if (this.#store.operations.has(parent) && !this.#cards.has(parent)) this.#drawCard(parent);
      const made = new OperationCard(operation, this.#providers.get(operation.operation_type));
      this.#cards.set(id, made);
      this.#watcher.observe(made.node);
      this.#place(id);
      for (const part of this.#store.children(id)) if (this.#cards.has(part.operation_id)) this.#place(part.operation_id);
    }
  }

  /** A card that goes while it has the focus leaves that to its neighbour; parts that go on stand on their own from then on. */
  #remove({ node, childList }) {
    const neighbour = node.nextElementSibling ?? node.previousElementSibling;
    this.#watcher.unobserve(node);
    for (const { dataset: { id } } of [...childList.children]) if (this.#store.operations.has(id)) this.#place(id);
    const hadFocus = node.contains(document.activeElement);
    node.remove();
    if (hadFocus) (neighbour?.querySelector('button') ?? document.getElementById('main')).focus({ preventScroll: true });
  }

  /** Puts a card into its list: under its whole where that is shown, by age among its like. It keeps the focus. */
  #place(id) {
    const { node } = this.#cards.get(id);
    const operation = this.#store.operations.get(id);
    const list = this.#cards.get(operation.parent_id)?.childList ?? this.#list;
    if (node.parentNode === list) return;
    const focused = node.contains(document.activeElement) ? document.activeElement : null;
    const key = (item) => this.#store.operations.get(item.dataset.id)?.created_at ?? '';
    const next = [...list.children].findLast((item) => key(item) <= operation.created_at);
    if (next) next.after(node);
    else list.prepend(node);
    focused?.focus({ preventScroll: true });
  }
}
