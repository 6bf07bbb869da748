import { get, post } from './api.js';
import { attempt, confirmed } from './dialog.js';
import { element } from './dom.js';

/** Who holds which port, and how that is put right. */
export class PortsView {
  #services = element('div');
  #conflicts = element('div');
  #status = element('p', { className: 'quiet', role: 'status' });
  node = element('section', { 'aria-labelledby': 'ports-title' }, element('h2', { id: 'ports-title', textContent: 'Ports' }),
    element('div', { className: 'actions' },
      element('button', { type: 'button', className: 'primary', textContent: 'Check', onclick: () => this.#check() }),
      element('button', { type: 'button', textContent: 'Heal all', onclick: () => this.#heal() })),
    this.#status, this.#conflicts, element('h3', { textContent: 'Services' }), this.#services);

  show() { this.#check(); }
  hide() {}

  async #check() {
    this.#status.textContent = 'Looking …';
    const found = await attempt(() => Promise.all([get('/api/ports/status'), post('/api/self-heal/port-conflicts')]));
    if (!found) { this.#status.textContent = ''; return; }
    const [{ services }, { conflicts, total }] = found;
    this.#status.textContent = total === 0 ? 'Every port is held by the service it belongs to, or free.' : `${total} ${total === 1 ? 'port is' : 'ports are'} held by something else.`;
    this.#conflicts.replaceChildren(...conflicts.map((conflict) => this.#conflict(conflict)));
    const list = Array.isArray(services) ? services : Object.entries(services ?? {}).map(([name, service]) => ({ name, ...service }));
    this.#services.replaceChildren(element('table', {},
      element('thead', {}, element('tr', {}, ['Service', 'Port', 'Status', 'Held by', ''].map((text) => element('th', { scope: 'col', textContent: text })))),
      element('tbody', {}, list.map((service) => this.#service(service)))));
  }

  #service(service) {
    const button = (text, action) => element('button', { type: 'button', textContent: text, onclick: () => this.#act(service, action) });
    const holder = service.process ?? service.actual_process;
    return element('tr', { 'data-status': service.status },
      element('th', { scope: 'row', textContent: service.name, title: service.description ?? '' }),
      element('td', { textContent: service.port ?? 'none' }), element('td', { textContent: String(service.status).replaceAll('_', ' ') }),
      element('td', { textContent: holder ? `${holder} (${service.pid ?? 'pid not known'})` : '' }),
      element('td', { className: 'actions' }, service.status === 'running' ? [button('Stop', 'stop'), button('Restart', 'restart')] : button('Start', 'start')));
  }

  #conflict(conflict) {
    const { service, port, expected_process: expected, actual_process: actual, pid, can_kill: canKill, can_restart: canRestart } = conflict;
    return element('article', { className: 'card conflict' },
      element('h3', { textContent: `Port ${port} of ${service}` }),
      element('p', { textContent: `Held by ${actual ?? 'a process that can’t be told'} (${pid ?? 'pid not known'}), expected ${expected}.` }),
      conflict.supervisor ? element('p', { className: 'quiet', textContent: `${conflict.supervisor} looks after that process and may start it again.` }) : null,
      element('div', { className: 'actions' },
        element('button', { type: 'button', className: 'danger', textContent: 'Kill', disabled: !canKill, onclick: () => this.#kill(conflict) }),
        element('button', { type: 'button', textContent: 'Restart', disabled: !canRestart, onclick: () => this.#restart(conflict) })));
  }

  async #kill({ service, port, actual_process: actual, pid, supervisor }) {
    const lines = [`Process ${pid}, ${actual}, is told to end, and killed if it doesn’t. What it has not saved is lost.`];
    if (supervisor) lines.push(`${supervisor} looks after it and may start it again.`);
    if (!await confirmed(`Free port ${port}?`, lines, `Kill ${actual}`, { dangerous: true })) return;
    await attempt(() => post('/api/self-heal/port-conflicts/kill', { pid, service }));
    await this.#check();
  }

  async #restart({ service, port, actual_process: actual, pid }) {
    if (!await confirmed(`Restart ${service}?`, [`Process ${pid}, ${actual}, is ended first, and ${service} started on port ${port}.`], 'Restart', { dangerous: true })) return;
    await attempt(() => post('/api/self-heal/port-conflicts/restart', { service }));
    await this.#check();
  }

  async #heal() {
    if (!await confirmed('Heal all conflicts?', ['Every process that holds a port of a registered service, and isn’t that service, is ended.'], 'Heal', { dangerous: true })) return;
    await attempt(() => post('/api/ports/heal'));
    await this.#check();
  }

  async #act({ name }, action) {
    if (action !== 'start' && !await confirmed(`${action === 'stop' ? 'Stop' : 'Restart'} ${name}?`, ['Whoever uses it now is cut off.'], action === 'stop' ? 'Stop' : 'Restart', { dangerous: true })) return;
    await attempt(() => post(`/api/ports/${action}`, { service: name }));
    await this.#check();
  }
}
