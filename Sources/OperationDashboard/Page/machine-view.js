import { get } from './api.js';
import { Asking } from './asking.js';
import { element } from './dom.js';
import { megabytes, megabytesPerMegabit, unbroken } from './format.js';
import { plot } from './plot.js';
import { showPlots } from './plots.js';

const interval = 2000;
/** While something runs or somebody looks, there is a measurement every two seconds or so: further apart lies what nobody measured, in ms. */
const gap = 10_000;

/** What the machine and all operations together use, over the last minutes. */
export class MachineView {
  #figures = element('dl', { className: 'figures' });
  #plots = element('div', { className: 'plots five' });
  #trouble = element('p', { className: 'banner', hidden: true });
  #timer = null;
  #asking = new Asking();
  node = element('section', { 'aria-labelledby': 'machine-title' }, element('h2', { id: 'machine-title', textContent: 'Machine' }),
    this.#trouble, this.#figures, this.#plots);

  show() { this.#refresh(); }

  hide() {
    clearTimeout(this.#timer);
    this.#asking.end();
  }

  /** Asks every so often, after the last answer: one that takes long is not asked for twice. */
  async #refresh() {
    clearTimeout(this.#timer);
    if (!document.hidden) await this.#ask();
    clearTimeout(this.#timer);
    if (this.node.isConnected) this.#timer = setTimeout(() => this.#refresh(), interval);
  }

  async #ask() {
    const signal = this.#asking.begin();
    try {
      const [now, past] = await Promise.all([get('/api/ports/resources', { signal }), get('/api/ports/resources/history', { signal })]);
      this.#trouble.hidden = true;
      this.#showFigures(now);
      this.#showPlots(past.history);
    } catch (error) {
      if (signal.aborted) return;
      this.#trouble.textContent = error.message;
      this.#trouble.hidden = false;
    }
  }

  #showFigures({ host, active_operations: active, aggregate_cpu_percent: cpu, aggregate_memory_mb: memory }) {
    const figures = [
      [active === 1 ? '1 operation' : `${active} operations`, [`${Math.round(cpu)} % CPU`, megabytes(memory)].join(', ')],
      ['Machine', host.cpu_percent_of_all_cores === null ? 'measuring' : `${Math.round(host.cpu_percent_of_all_cores)} % of ${host.core_count} cores`],
      ['Memory free', `${megabytes(host.memory_available_mb)} of ${megabytes(host.memory_total_mb)}`],
      ['Disk free', host.disk_available_mb === null ? 'not measured' : `${megabytes(host.disk_available_mb)} of ${megabytes(host.disk_total_mb)}`],
      ['Load', host.load_average ? host.load_average.map((value) => value.toFixed(2)).join(' ') : 'not known'],
    ];
    if (host.container_memory_limit_mb !== null) figures.push(['Container may use', megabytes(host.container_memory_limit_mb)]);
    this.#figures.replaceChildren(...figures.map(([name, value]) => element('div', {}, element('dt', { textContent: name }), element('dd', { textContent: unbroken(value) }))));
  }

  #showPlots(history) {
    const line = (name, key, factor = 1) => ({
      name, kind: 'line',
      points: history.map(({ timestamp, [key]: value }) => [Date.parse(timestamp), typeof value === 'number' ? value * factor : null]),
    });
    const show = (title, unit, most, ...series) => plot({ title, unit, most, gap, series, empty: history.length > 0 ? 'This machine doesn’t tell.' : undefined });
    showPlots(this.#plots, [
      show('CPU of operations', '% of one core', 100, line('operations', 'aggregate_cpu_percent')),
      show('CPU of the machine', '% of all cores', 100, line('machine', 'cpu_percent')),
      show('Memory', 'GB', 1, line('operations', 'aggregate_memory_mb', 1 / 1024), line('machine', 'memory_used_mb', 1 / 1024)),
      show('Network', 'MB/s', 1, line('received', 'network_receive_mbps', megabytesPerMegabit), line('sent', 'network_transmit_mbps', megabytesPerMegabit),
        line('operations', 'aggregate_network_mbps', megabytesPerMegabit)),
      show('Waiting', '% of the time', 10, line('for CPU', 'cpu_pressure_percent'), line('for memory', 'memory_pressure_percent'), line('for disk', 'io_pressure_percent'))]);
  }
}
