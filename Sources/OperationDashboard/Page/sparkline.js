import { svg } from './dom.js';

const width = 120;
const height = 24;

/** The latest speeds as a small line; what matters is the shape, so the speed in words stands beside it. */
export class Sparkline {
  #line = svg('polyline', { class: 'line' });
  #area = svg('polygon', { class: 'area' });
  node = svg('svg', { class: 'sparkline', viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true', preserveAspectRatio: 'none' }, this.#area, this.#line);

  show(values) {
    const most = Math.max(...values, 1e-9);
    const step = width / Math.max(values.length - 1, 1);
    const points = values.map((value, index) => `${(index * step).toFixed(1)},${(height - 1 - (value / most) * (height - 2)).toFixed(1)}`);
    this.#line.setAttribute('points', points.join(' '));
    this.#area.setAttribute('points', `0,${height} ${points.join(' ')} ${width},${height}`);
  }
}
