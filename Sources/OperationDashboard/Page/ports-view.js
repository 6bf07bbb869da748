import { get, post } from './api.js';
import { Asking } from './asking.js';
import { attempt, confirmed, visit } from './dialog.js';
import { element, scroller, setHidden, setText, tableHead } from './dom.js';

/** Who holds which port, and how that is put right. */
export class PortsView {
  #isBusy = false;
  #looking = new Asking();
  /** What was done, until somebody was there to see it said. */
  #news = '';
  #services = scroller('Services');
  #conflicts = element('div', { className: 'cards' });
  #trouble = element('ul', { className: 'quiet' });
  #status = element('p', { className: 'quiet', role: 'status' });
  #look = this.#button('Check', () => this.#check(), 'primary');
  #heal = element('button', { type: 'button', textContent: 'Heal all', hidden: true, onclick: () => this.#healAll() });
  node = element('section', { 'aria-labelledby': 'ports-title' }, element('h2', { id: 'ports-title', textContent: 'Ports' }),
    element('div', { className: 'actions' }, this.#look, this.#heal),
    this.#status, this.#trouble, this.#conflicts, element('h3', { className: 'next', textContent: 'Services' }), this.#services);

  show() { return this.#isBusy ? null : this.#check(); }
  restore() { return this.show(); }
  hide() {}

  /** Says something, after what was done. */
  #say(text) { setText(this.#status, `${this.#news} ${text}`.trim()); }

  #conclude(text) {
    this.#say(text);
    if (this.node.isConnected) this.#news = '';
  }

  /** Looks anew. An older look that is still on its way would show what was. */
  async #check() {
    const signal = this.#looking.begin();
    this.#say('Looking …');
    let found;
    try {
      found = await Promise.all([get('/api/ports/status', { signal }), post('/api/self-heal/port-conflicts', undefined, { signal, repeatable: true })]);
    } catch (error) {
      if (signal.aborted) return;
      setHidden(this.#heal, true, this.#look);
      this.#conclude(error.status === 404 ? 'This server looks after no services.' : error.message);
      return;
    }
    const [{ services, registry }, { conflicts }] = found;
    const wrong = conflicts.filter((conflict) => !conflict.is_correct);
    const verdict = wrong.length === 0 ? 'Every port is held by the service it belongs to, or free.'
      : `${wrong.length} ${wrong.length === 1 ? 'port is' : 'ports are'} held by something else.`;
    this.#conclude(verdict);
    setHidden(this.#heal, wrong.length === 0, this.#look);
    this.#trouble.replaceChildren(...[registry.problem, ...registry.warnings].filter(Boolean).map((text) => element('li', { textContent: text })));
    this.#trouble.hidden = this.#trouble.childElementCount === 0;
    const hadFocus = this.node.contains(document.activeElement);
    this.#conflicts.replaceChildren(...wrong.map((conflict) => this.#conflict(conflict)));
    this.#services.replaceChildren(element('table', { className: 'services stacked' },
      tableHead(['Service', 'Port', 'Status', 'Held by', 'Do']),
      element('tbody', {}, Object.values(services).map((service) => this.#service(service, wrong.find((conflict) => conflict.service === service.name))))));
    // What had the focus may have gone with what was put right.
    if (hadFocus && !this.node.contains(document.activeElement)) this.#look.focus();
  }

  #button(text, onclick, className = '') {
    return element('button', { type: 'button', className, textContent: text, onclick });
  }

  #service(service, conflict) {
    const { name, port, status, detail, actual_process: holder, supervisor, description, started_here: isOurs, startup_cmd: command, enabled } = service;
    const actions = [
      status === 'running' || status === 'failed' || isOurs ? this.#button('Stop', () => this.#stop(service)) : null,
      command && enabled ? (status === 'stopped' ? this.#button('Start', () => this.#start(service)) : this.#restartButton(service, conflict)) : null,
    ];
    return element('tr', { 'data-status': status },
      element('th', { scope: 'row' }, name, description ? element('p', { className: 'quiet', textContent: description }) : null),
      element('td', { textContent: port ?? 'none' }),
      element('td', { className: 'detail' }, element('span', { className: 'status', textContent: status.replaceAll('_', ' ') }), enabled ? '' : ', disabled',
        detail ? element('p', { className: 'quiet', textContent: detail }) : null),
      element('td', { textContent: holder ? [holdersOf(service), supervisor].filter(Boolean).join(', ') : '' }),
      element('td', {}, element('div', { className: 'actions' }, actions)));
  }

  /** Whom a port can't be taken from, the conflict says. */
  #restartButton(service, conflict) {
    return element('button', { type: 'button', textContent: 'Restart', disabled: conflict?.can_restart === false, onclick: () => this.#restart(service) });
  }

  #conflict(conflict) {
    const { service, port, expected_process: expected, supervisor, reason, can_kill: canKill, can_restart: canRestart } = conflict;
    return element('article', { className: 'card conflict', 'data-status': 'failed' },
      element('h3', { textContent: `Port ${port} of ${service}` }),
      element('p', { textContent: `Held by ${conflict.held_by}; ${expected ?? service} should hold it.` }),
      supervisor ? element('p', { className: 'quiet', textContent: `${supervisor} looks after that process and may start it again.` }) : null,
      reason ? element('p', { className: 'quiet', textContent: reason }) : null,
      canKill && !canRestart ? element('p', { className: 'quiet', textContent: `${service} has no command to be started with: free the port, then start it by hand.` }) : null,
      element('div', { className: 'actions' },
        element('button', { type: 'button', className: 'danger', textContent: 'Kill', disabled: !canKill, onclick: () => this.#kill(conflict) }),
        element('button', { type: 'button', textContent: 'Restart', disabled: !canRestart, onclick: () => this.#replace(conflict) })));
  }

  async #kill(conflict) {
    const { service, port, held_by: heldBy, holders } = conflict;
    const lines = [`${heldBy} will be told to end, and killed if need be. What has not been saved is lost.`, ...warning(conflict)];
    const others = holders.filter((holder) => !holder.is_correct);
    const action = others.length === 1 ? `Kill ${others[0].name}` : `Kill all ${others.length}`;
    if (!await confirmed(`Free port ${port}?`, lines, action, { dangerous: true })) return;
    await this.#act(`Freeing port ${port} …`, '/api/self-heal/port-conflicts/kill', { service, expected: { [service]: seen(conflict) } });
  }

  async #replace(conflict) {
    const { service, port, held_by: heldBy, holders } = conflict;
    const own = holders.filter((holder) => holder.is_correct).map(({ name, pid }) => `${name} (pid ${pid})`);
    const lines = [`${heldBy} will be ended first, and ${service} started on port ${port}.`, ...warning(conflict)];
    if (own.length > 0) lines.push(`What runs of ${service} is ended, too: ${own.join(', ')}.`);
    if (!await confirmed(`Restart ${service}?`, lines, 'Restart', { dangerous: true })) return;
    await this.#act(`Restarting ${service} …`, '/api/self-heal/port-conflicts/restart', { service, expected: { [service]: seen(conflict) } });
  }

  async #healAll() {
    const signal = visit();
    const plan = await this.#wait('Looking what there is to heal …', () => post('/api/self-heal/recover', { strategy: 'port_conflicts', dry_run: true }, { signal, repeatable: true }));
    if (signal.aborted) return;
    this.#check();
    if (!plan) return;
    const lines = ['Every process that holds a port in a service’s place is ended, and the service started where it has a command.'];
    lines.push(...plan.actions.map(({ service, reason }) => `${service}: ${reason}`));
    if (!await confirmed('Heal all conflicts?', lines, 'Heal', { dangerous: true })) return;
    // What was shown, and nobody who came since.
    const doable = plan.actions.filter(({ action }) => action !== 'none');
    await this.#act('Healing …', '/api/ports/heal', { expected: Object.fromEntries(doable.map(({ service, holders }) => [service, holders])) });
  }

  async #start({ name }) {
    await this.#act(`Starting ${name} …`, '/api/ports/start', { service_name: name });
  }

  async #stop(service) {
    if (!await confirmed(`Stop ${service.name}?`, ['Whoever uses it now is cut off.', ...warning(service)], 'Stop', { dangerous: true })) return;
    await this.#act(`Stopping ${service.name} …`, '/api/ports/stop', { service_name: service.name });
  }

  async #restart(service) {
    const { name, holders } = service;
    const lines = [holders.length > 0 ? `${holdersOf(service)} will be ended first. Whoever uses it now is cut off.` : 'What is left of it is ended first.', ...warning(service)];
    if (!await confirmed(`Restart ${name}?`, lines, 'Restart', { dangerous: true })) return;
    await this.#act(`Restarting ${name} …`, '/api/ports/restart', { service_name: name, expected: { [name]: holders } });
  }

  /** Does something, and looks what has come of it; whoever is elsewhere by then is told when they come back. */
  async #act(waiting, path, body) {
    const done = await this.#wait(waiting, () => post(path, body));
    this.#news = done?.message ?? '';
    if (this.node.isConnected) this.#check();
  }

  /** Lets nothing else be done meanwhile, also where the view is left and comes back: a look would bring new buttons. */
  async #wait(waiting, work) {
    this.#isBusy = true;
    this.#looking.end();
    setText(this.#status, waiting);
    const buttons = [...this.node.querySelectorAll('button:not(:disabled)')];
    const focused = buttons.find((button) => button === document.activeElement);
    for (const button of buttons) button.disabled = true;
    const result = await attempt(work);
    this.#isBusy = false;
    for (const button of buttons) button.disabled = false;
    // Whoever has gone on to something else meanwhile stays there.
    if ([document.body, focused].includes(document.activeElement)) focused?.focus();
    return result;
  }
}

/** Those that hold a service's port: the one that the status is about by its name, the others by their numbers. */
function holdersOf({ actual_process: name, pid, pids }) {
  const others = pids.filter((other) => other !== pid);
  const first = name ? `${name} (pid ${pid})` : 'a process that can’t be told';
  return others.length === 0 ? first : `${first} and ${others.length === 1 ? 'the process' : 'the processes'} ${others.join(', ')}`;
}

/** Who was shown: whoever has come since is left alone. */
const seen = ({ holders }) => holders.map(({ process }) => process);
const warning = ({ supervisor }) => (supervisor ? [`${supervisor} looks after it and may start it again.`] : []);
