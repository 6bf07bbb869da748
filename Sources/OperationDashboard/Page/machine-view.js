import { get } from './api.js';
import { element } from './dom.js';
import { megabytes } from './format.js';
import { plot } from './plot.js';

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

  hide() {
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  async #refresh() {
    this.#timer = setTimeout(() => this.#refresh(), interval);
    // A table that somebody reads isn't taken away under their eyes.
    if (this.#plots.querySelector('details[open]') || document.hidden) return;
    try {
      const [now, past] = await Promise.all([get('/api/ports/resources'), get('/api/ports/resources/history')]);
      this.#trouble.hidden = true;
      this.#showFigures(now);
      this.#showPlots(past.samples);
    } catch (error) {
      this.#trouble.textContent = error.message;
      this.#trouble.hidden = false;
    }
  }

  #showFigures({ host, operations }) {
    const figures = [
      ['Operations', [`${Math.round(operations.cpu_percent ?? 0)} % CPU`, megabytes(operations.memory_mb ?? 0)].join(', ')],
      ['Machine', host.cpu_percent_of_all_cores === null ? 'measuring' : `${Math.round(host.cpu_percent_of_all_cores)} % of ${host.core_count} cores`],
      ['Memory free', `${megabytes(host.memory_available_mb)} of ${megabytes(host.memory_total_mb)}`],
      ['Disk free', host.disk_available_mb === null ? 'not measured' : `${megabytes(host.disk_available_mb)} of ${megabytes(host.disk_total_mb)}`],
      ['Load', host.load_average ? host.load_average.map((value) => value.toFixed(2)).join(' ') : 'not known'],
      ['Container', host.container_memory_limit_mb === null ? 'no limit' : megabytes(host.container_memory_limit_mb)],
    ];
    this.#figures.replaceChildren(...figures.map(([name, value]) => element('div', {}, element('dt', { textContent: name }), element('dd', { textContent: value }))));
  }

  #showPlots(samples) {
    const line = (name, read) => ({ name, kind: 'line', points: samples.map((sample) => [Date.parse(sample.at), read(sample)]).filter(([, value]) => value !== null && value !== undefined) });
    this.#plots.replaceChildren(
      plot({ title: 'CPU', unit: '% of one core', most: 100, series: [line('operations', (s) => s.operations.cpu_percent), line('machine', (s) => s.host.cpu_percent)] }),
      plot({ title: 'Memory', unit: 'GB', series: [
        line('operations', (s) => (s.operations.memory_mb === null ? null : s.operations.memory_mb / 1024)),
        line('machine', (s) => (s.host.memory_total_mb === null || s.host.memory_available_mb === null ? null : (s.host.memory_total_mb - s.host.memory_available_mb) / 1024))] }),
      plot({ title: 'Network', unit: 'Mbit/s', series: [line('received', (s) => s.host.network_receive_mbps), line('sent', (s) => s.host.network_transmit_mbps)] }),
      plot({ title: 'Pressure', unit: '% of time that work waits', series: [
        line('CPU', (s) => s.host.cpu_pressure_percent), line('memory', (s) => s.host.memory_pressure_percent), line('disk', (s) => s.host.io_pressure_percent)] }));
  }
}
