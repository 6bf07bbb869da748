import { element, setHidden, setText } from './dom.js';
import { OperationCard } from './operation-card.js';

/** All that runs or waits, a card each, parts under what they are parts of. */
export class OperationsView {
  #store;
  #cards = new Map();
  #list = element('ul', { className: 'cards', 'aria-label': 'Operations' });
  #count = element('p', { className: 'quiet' });
  #empty = element('p', { className: 'empty' }, 'Nothing runs. ', element('a', { href: '#/start', textContent: 'Start something' }),
    ', or look at ', element('a', { href: '#/history', textContent: 'what has run' }), '.');
  node = element('section', { 'aria-labelledby': 'operations-title' }, element('h2', { id: 'operations-title', textContent: 'Running' }),
    this.#count, this.#empty, this.#list);

  constructor(store) {
    this.#store = store;
  }

  show() {
    this.#store.addEventListener('change', this.#change);
    this.#update(new Set([...this.#store.operations.keys(), ...this.#cards.keys()]));
  }

  hide() {
    this.#store.removeEventListener('change', this.#change);
  }

  #change = ({ detail }) => this.#update(detail);

  #update(changed) {
    const { operations, speeds } = this.#store;
    for (const id of changed) {
      const operation = operations.get(id);
      const card = this.#cards.get(id);
      if (!operation) {
        card?.node.remove();
        this.#cards.delete(id);
      } else if (card) {
        card.update(operation, speeds.get(id) ?? []);
      } else {
        this.#cards.set(id, new OperationCard(operation));
      }
    }
    for (const id of changed) if (this.#cards.has(id)) this.#place(id);
    const active = [...operations.values()].filter((operation) => !operation.finished_at);
    const count = (status) => active.filter((operation) => operation.status === status).length;
    const words = [[count('in_progress'), 'running'], [count('pending'), 'waiting'], [count('paused'), 'paused']];
    setText(this.#count, words.filter(([number]) => number > 0).map(([number, word]) => `${number} ${word}`).join(', '));
    setHidden(this.#empty, this.#cards.size > 0);
  }

  /** Puts a new card into its list: under its whole where that is shown, by age among its like. */
  #place(id) {
    const { node } = this.#cards.get(id);
    const operation = this.#store.operations.get(id);
    const list = this.#cards.get(operation.parent_id)?.childList ?? this.#list;
    if (node.parentNode === list) return;
    const key = (item) => this.#store.operations.get(item.dataset.id)?.created_at ?? '';
    const next = [...list.children].findLast((item) => key(item) <= operation.created_at);
    if (next) next.after(node);
    else list.prepend(node);
  }
}
