import { get } from './api.js';
import { element } from './dom.js';
import { megabytes } from './format.js';
import { plot } from './plot.js';
import { showPlots } from './plots.js';

const interval = 2000;

/** What the machine and all operations together use, over the last minutes. */
export class MachineView {
  #figures = element('dl', { className: 'figures' });
  #plots = element('div', { className: 'plots' });
  #trouble = element('p', { className: 'banner', hidden: true });
  #timer = null;
  node = element('section', { 'aria-labelledby': 'machine-title' }, element('h2', { id: 'machine-title', textContent: 'Machine' }),
    this.#trouble, this.#figures, this.#plots);

  show() { this.#refresh(); }

  hide() { clearTimeout(this.#timer); }

  /** Asks every so often, after the last answer: one that takes long is not asked for twice. */
  async #refresh() {
    clearTimeout(this.#timer);
    if (!document.hidden) await this.#ask();
    clearTimeout(this.#timer);
    if (this.node.isConnected) this.#timer = setTimeout(() => this.#refresh(), interval);
  }

  async #ask() {
    try {
      const [now, past] = await Promise.all([get('/api/ports/resources'), get('/api/ports/resources/history')]);
      this.#trouble.hidden = true;
      this.#showFigures(now);
      this.#showPlots(past.history);
    } catch (error) {
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
    this.#figures.replaceChildren(...figures.map(([name, value]) => element('div', {}, element('dt', { textContent: name }), element('dd', { textContent: value }))));
  }

  #showPlots(history) {
    const line = (name, read) => ({
      name, kind: 'line',
      points: history.map((point) => [Date.parse(point.timestamp), read(point)]).filter(([, value]) => value !== null),
    });
    const gigabytes = (value) => (value === null ? null : value / 1024);
    showPlots(this.#plots, [
      plot({ title: 'CPU of operations', unit: '% of one core', most: 100, series: [line('operations', (point) => point.aggregate_cpu_percent)] }),
      plot({ title: 'CPU of the machine', unit: '% of all cores', most: 100, series: [line('machine', (point) => point.cpu_percent)] }),
      plot({ title: 'Memory', unit: 'GB', series: [
        line('operations', (point) => gigabytes(point.aggregate_memory_mb)), line('machine', (point) => gigabytes(point.memory_used_mb))] }),
      plot({ title: 'Network', unit: 'Mbit/s', series: [
        line('received', (point) => point.network_receive_mbps), line('sent', (point) => point.network_transmit_mbps),
        line('operations', (point) => point.aggregate_network_mbps)] }),
      plot({ title: 'Waiting', unit: '% of the time', most: 10, series: [
        line('for CPU', (point) => point.cpu_pressure_percent ?? null), line('for memory', (point) => point.memory_pressure_percent), line('for disk', (point) => point.io_pressure_percent ?? null)] })]);
  }
}
