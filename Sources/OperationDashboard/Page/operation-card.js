import { post } from './api.js';
import { showDetails } from './details-dialog.js';
import { ask, attempt, confirmed } from './dialog.js';
import { element, setHidden, setText } from './dom.js';
import { amount, duration, isBehind, megabyte, megabytes, nameOf, percent, rate, remaining, remainingBasis, remainingRange, speed, statusWord, took, typeWord } from './format.js';
import { Sparkline } from './sparkline.js';

const root = '/api/ports/operations';
/** How long, in ms, nothing is pressed once another button has come into a place: the second click of two is meant for what was there. */
const betweenClicks = 500;

/** One operation: what it does, how far it is, what it costs, and what can be done about it. Made once and then updated. */
export class OperationCard {
  #operation;
  /** What is known of its type; `undefined` where only a client reports such work. */
  #provider;
  #isReached = true;
  /** The wishes that are on their way. */
  #asked = new Set();
  /** Ends when buttons that have moved may be pressed. */
  #moved = null;
  #isSettingPriority = false;
  #range = null;
  #sparkline = new Sparkline();
  #name = element('span');
  #details = element('button', { type: 'button', className: 'name', onclick: () => showDetails(this.#operation.operation_id) }, this.#name);
  #title = element('h3', {}, this.#details);
  #type = element('span', { className: 'type' });
  #status = element('span', { className: 'status' });
  #bar = element('progress', { max: 100 });
  #percent = element('span', { className: 'percent' });
  #facts = Object.fromEntries(['amount', 'speed', 'limit', 'remaining', 'phase', 'message', 'cost', 'attempt', 'place', 'error'].map((name) =>
    [name, element('span', { className: `fact ${name}` })]));
  #children = element('ul', { className: 'cards children', role: 'list', 'aria-label': 'Parts' });
  #buttons;
  node;

  constructor(operation, provider) {
    const id = operation.operation_id;
    const button = (name, text, onclick) => element('button', { type: 'button', className: name, textContent: text, onclick: ({ target }) => { if (target.ariaDisabled !== 'true') onclick(); } });
    this.#title.id = `title-${id}`;
    this.#bar.setAttribute('aria-labelledby', this.#title.id);
    this.#buttons = {
      pause: button('pause', 'Pause', () => this.#request('pause')),
      resume: button('resume', 'Resume', () => this.#request('resume')),
      cancel: button('cancel', 'Cancel', () => this.#cancel()),
      limit: button('limit', 'Limit speed', () => this.#limit()),
      priority: element('select', { 'aria-label': 'Priority', onchange: () => this.#setPriority() },
        ['low', 'normal', 'high', 'urgent'].map((value) => element('option', { value, textContent: value }))),
    };
    const facts = this.#facts;
    this.node = element('li', {}, element('article', { className: 'card', 'aria-labelledby': this.#title.id },
      element('header', {}, this.#title, this.#type, this.#status),
      element('div', { className: 'progress' }, this.#bar, this.#percent),
      element('div', { className: 'body' },
        element('div', {},
          element('p', { className: 'facts' }, facts.remaining, facts.amount, facts.speed, facts.limit, this.#sparkline.node),
          element('p', { className: 'facts quiet' }, facts.phase, facts.message, facts.attempt, facts.cost, facts.place)),
        element('div', { className: 'actions' }, Object.values(this.#buttons))),
      facts.error, this.#children));
    this.node.dataset.id = id;
    this.update(operation, [], provider, true);
  }

  /** Whether it shows the step that an operation has come to. */
  shows({ status, pending_request: wish }) {
    return this.#operation.status === status && this.#operation.pending_request === wish;
  }

  /** The list in which the cards of its parts stand. */
  get childList() { return this.#children; }

  /** `isReached`: whether the server says so now. What it said last of speed and time is not what is. */
  update(operation, speeds, provider, isReached) {
    this.#operation = operation;
    this.#provider = provider;
    this.#isReached = isReached;
    const { status, error, bandwidth_limit_bytes_per_second: limit } = operation;
    const article = this.node.firstChild;
    if (article.dataset.status !== status) article.dataset.status = status;
    if (article.dataset.type !== operation.operation_type) article.dataset.type = operation.operation_type;
    setText(this.#name, nameOf(operation));
    setText(this.#type, typeWord(operation.operation_type));
    setText(this.#status, statusWord(operation));
    const isUnknown = operation.progress === 0 && operation.total_units === null && status === 'in_progress';
    if (isUnknown) this.#bar.removeAttribute('value');
    else this.#bar.value = operation.progress;
    setText(this.#percent, isUnknown ? '' : percent(operation.progress));
    const pace = status === 'in_progress' && isReached ? speed(operation.resource_impact.network_mbps) : '';
    this.#fact('amount', isBehind(operation) ? `${amount(operation)}, begun again` : amount(operation));
    this.#fact('speed', pace);
    this.#fact('limit', limit ? `limited to ${rate(limit)}` : '');
    this.#range = remainingRange(operation, this.#range);
    this.#fact('remaining', isReached ? remaining(operation, this.#range) : '');
    this.#explain('remaining', remainingBasis(operation));
    this.#fact('phase', operation.phase ?? '');
    this.#fact('message', operation.message ?? '');
    this.#fact('attempt', operation.attempt > 1 ? `try ${operation.attempt}` : '');
    this.showTime();
    this.#fact('place', operation.isElsewhere ? 'in another process, and controlled there' : '');
    this.#fact('error', error ?? '');
    const drawsSpeed = pace !== '' && speeds.length > 2;
    if (drawsSpeed) this.#sparkline.show(speeds);
    this.#sparkline.node.classList.toggle('empty', !drawsSpeed);
    this.#showButtons();
  }

  /** What it costs and has taken: that goes on while there is nothing else to tell. */
  showTime() {
    const { status, resource_impact: cost, uptime_seconds: uptime, finished_at: end, receivedAt } = this.#operation;
    const seconds = end ? took(this.#operation) : uptime;
    if (!this.#isReached && !end) { this.#fact('cost', ''); return; }
    const since = status === 'in_progress' && receivedAt ? Math.max(0, Date.now() - receivedAt) / 1000 : 0;
    this.#fact('cost', [
      cost.cpu_percent === null ? '' : `${Math.round(cost.cpu_percent)} % CPU`,
      megabytes(cost.memory_mb),
      seconds === null ? '' : `for ${duration(seconds + since)}`,
    ].filter(Boolean).join(', '));
  }

  #fact(name, text) {
    setText(this.#facts[name], text);
    setHidden(this.#facts[name], text === '');
  }

  #explain(name, text) {
    if (this.#facts[name].title !== text) this.#facts[name].title = text;
  }

  #showButtons() {
    const { status, pending_request: wish, finished_at: end, isElsewhere } = this.#operation;
    const isOutOfReach = Boolean(end || isElsewhere);
    const buttons = Object.values(this.#buttons);
    const focused = buttons.find((button) => button === document.activeElement);
    const shown = () => buttons.filter((button) => !button.hidden).map((button) => button.className).join();
    const before = shown();
    const isHeld = status === 'paused' || wish === 'pause';
    // What waits can be held whatever its work can do.
    const canPause = status === 'pending' || this.#provider?.pausing !== 'unsupported';
    setHidden(this.#buttons.pause, isOutOfReach || isHeld || !canPause);
    setHidden(this.#buttons.resume, isOutOfReach || !isHeld || wish === 'resume');
    setHidden(this.#buttons.cancel, isOutOfReach || wish === 'cancel');
    setHidden(this.#buttons.limit, isOutOfReach || !this.#provider?.is_throttleable);
    setHidden(this.#buttons.priority, isOutOfReach || status !== 'pending');
    // Pausing puts another button into the place of the one that was pressed: the focus goes with it.
    if (focused?.hidden) (buttons.find((button) => !button.hidden) ?? this.#details).focus({ preventScroll: true });
    if (this.node.isConnected && shown() !== before) this.#hold();
    this.#showPriority();
  }

  #hold() {
    clearTimeout(this.#moved);
    this.#moved = setTimeout(() => { this.#moved = null; this.#showEnabled(); }, betweenClicks);
    this.#showEnabled();
  }

  #showEnabled() {
    const { priority, ...buttons } = this.#buttons;
    for (const [wish, button] of Object.entries(buttons)) button.ariaDisabled = this.#moved !== null || this.#asked.has(wish) ? 'true' : null;
  }

  get #path() { return `${root}/${this.#operation.operation_id}`; }

  /** Shows that it is on its way, and does not ask again meanwhile. */
  async #request(wish) {
    if (this.#asked.has(wish)) return;
    this.#asked.add(wish);
    this.#showEnabled();
    await attempt(() => post(`${this.#path}/${wish}`, undefined, { repeatable: true }));
    this.#asked.delete(wish);
    this.#showEnabled();
  }

  async #cancel() {
    const lines = ['What has been done so far may be lost. The history keeps it as cancelled.'];
    if (await confirmed(`Cancel “${this.#name.textContent}”?`, lines, 'Cancel it', { dangerous: true })) await this.#request('cancel');
  }

  /** What was chosen stays until the server has answered. */
  #showPriority() {
    const { priority: field } = this.#buttons;
    if (!this.#isSettingPriority && field.value !== this.#operation.priority) field.value = this.#operation.priority;
  }

  /** Sets one after the other, however quickly they are chosen: the last is to hold. */
  async #setPriority() {
    if (this.#isSettingPriority) return;
    this.#isSettingPriority = true;
    const { priority: field } = this.#buttons;
    const before = this.#operation.priority;
    let chosen;
    let isDone;
    do {
      chosen = field.value;
      isDone = await attempt(() => post(`${this.#path}/priority`, { priority: chosen }, { repeatable: true }));
    } while (field.value !== chosen);
    this.#isSettingPriority = false;
    // It was refused, or told by the stream already, and maybe something else that was set elsewhere after it. Else it is still to be told.
    if (!isDone || this.#operation.priority !== before) this.#showPriority();
  }

  async #limit() {
    const { bandwidth_limit_bytes_per_second: present } = this.#operation;
    const value = present ? String(Math.max(0.001, Number((present / megabyte).toPrecision(3)))) : '';
    const field = element('label', {}, 'At most, in MB/s; empty for no limit',
      element('input', { name: 'limit', type: 'number', min: 0.001, max: 1e6, step: 'any', inputMode: 'decimal', value }));
    const answer = await ask(`Limit “${this.#name.textContent}”`, [field], 'Set');
    // What is shown is rounded: left as it was, it is to change nothing.
    if (!answer || answer.limit === value) return;
    const limit = answer.limit === '' ? null : Math.round(Number(answer.limit) * megabyte);
    await attempt(() => post(`${this.#path}/limit`, { bytes_per_second: limit }, { repeatable: true }));
  }
}
