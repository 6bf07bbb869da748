import { svg } from './dom.js';

const width = 120;
const height = 24;

/** The latest speeds, `[time, value]`, as a small line; what matters is the shape, so the speed in words stands beside it. */
export class Sparkline {
  #line = svg('polyline', { class: 'line' });
  #area = svg('polygon', { class: 'area' });
  node = svg('svg', { class: 'sparkline', viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true', preserveAspectRatio: 'none' }, this.#area, this.#line);

  show(values) {
    const most = Math.max(...values.map(([, value]) => value), 1e-9);
    const first = values[0][0];
    const scale = width / Math.max(values.at(-1)[0] - first, 1e-9);
    const points = values.map(([time, value]) => `${((time - first) * scale).toFixed(1)},${(height - 1 - (value / most) * (height - 2)).toFixed(1)}`);
    this.#line.setAttribute('points', points.join(' '));
    this.#area.setAttribute('points', `0,${height} ${points.join(' ')} ${width},${height}`);
  }
}
