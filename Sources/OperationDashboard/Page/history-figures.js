import { element, scroller, tableHead } from './dom.js';
import { duration, megabyte, rate, typeWord } from './format.js';
import { span } from './plot-drawing.js';
import { plot } from './plot.js';
import { showPlots } from './plots.js';

/** The types' colours are the same here as on the cards, and where two have the same, the shapes are not. */
const styles = new Map(Object.entries({ ok_setup: 0, install: 12, pull_model: 1, seed: 3, download: 5 }));
/** Those that types not named above get, in turn, and after these any. */
const otherStyles = [2, 4, 8, 10];

function styleOf(type) {
  if (!styles.has(type)) styles.set(type, otherStyles.shift() ?? 6 + styles.size);
  return styles.get(type);
}

/** What runs come to: how often and how long by type, and over time. */
export class HistoryFigures {
  #statistics = element('div');
  #plots = element('div', { className: 'plots' });
  nodes = [this.#statistics, this.#plots];

  /** Whether figures by type are there, and whether somebody is at them. */
  get areShown() { return this.#statistics.hasChildNodes(); }
  get areRead() { return this.#statistics.contains(document.activeElement); }

  /** Shows figures by type. */
  show(types) {
    if (types.length === 0) { this.#statistics.replaceChildren(); return; }
    const areJudged = types.some((entry) => entry.estimates > 0);
    const head = ['Type', 'Completed', 'Failed', 'Cancelled', 'Success', 'Median', '9 of 10 within', 'Throughput', ...(areJudged ? ['Intervals that held', 'Error of estimates'] : [])];
    this.#statistics.replaceChildren(scroller('How often and how long, by type', element('table', { className: 'statistics' }, tableHead(head, head.slice(1)),
      element('tbody', {}, types.map((entry) => {
        return element('tr', {}, element('th', { scope: 'row', textContent: typeWord(entry.operation_type) }),
          [entry.completed, entry.failed, entry.cancelled, entry.success_share === null ? '' : `${Math.round(100 * entry.success_share)} %`,
            duration(entry.p50_seconds), duration(entry.p90_seconds), entry.mean_bytes_per_second ? rate(entry.mean_bytes_per_second) : '',
            ...(areJudged ? judged(entry) : [])]
            .map((text) => element('td', { className: 'number', textContent: text ?? '' })));
      })))));
  }

  /** Draws runs over time. */
  draw(operations, areOfOneStatus) {
    const ended = operations.filter((operation) => operation.finished_at);
    const byType = Map.groupBy(ended.filter((operation) => operation.status === 'completed' && operation.uptime_seconds !== null), (operation) => operation.operation_type);
    const points = (list, read) => list.map((operation) => [Date.parse(operation.finished_at), read(operation)]).sort((a, b) => a[0] - b[0]);
    const series = (read, keep = () => true) => [...byType].sort(([one], [other]) => one.localeCompare(other)).map(([type, list]) => ({ name: typeWord(type), kind: 'dots', style: styleOf(type), points: points(list.filter(keep), read) })).filter((line) => line.points.length > 0);
    let completed = 0;
    const share = points(ended.filter((operation) => operation.status !== 'cancelled'), (operation) => operation.status).map(([time, status], index) => {
      completed += status === 'completed' ? 1 : 0;
      return [time, (100 * completed) / (index + 1)];
    });
    const longest = ended.reduce((most, operation) => Math.max(most, operation.uptime_seconds ?? 0), 0);
    const [unit, size] = longest > 7200 ? ['h', 3600] : longest > 180 ? ['min', 60] : ['s', 1];
    const isTransfer = (operation) => operation.unit === 'bytes' && operation.completed_units > 0 && operation.uptime_seconds > 0;
    const plots = [
      { title: 'Duration', unit, empty: 'None of these has completed.', series: series((operation) => operation.uptime_seconds / size) },
      { title: areOfOneStatus ? 'Success share among that status' : 'Success share', unit: '%', most: 100, empty: 'All of these were cancelled.', series: share.length > 0 ? [{ name: 'completed of those drawn', kind: 'steps', points: share }] : [] },
      { title: 'Throughput', unit: 'MB/s', empty: 'None of these has completed a transfer.', series: series((operation) => operation.completed_units / megabyte / operation.uptime_seconds, isTransfer) },
    ];
    // One time axis for all of them: what stands above each other happened at one time.
    const [from, to] = span(plots.flatMap((one) => one.series));
    if (ended.length === 0) this.#plots.replaceChildren();
    else showPlots(this.#plots, plots.map((one) => plot({ ...one, from, to })));
  }

  clear() { this.#plots.replaceChildren(); }
}

/** How good the time remaining was that people were told. */
function judged({ estimates, estimate_coverage: coverage, estimate_log_error: error, recent_estimates: recent, recent_estimate_coverage: lately }) {
  const since = recent > 0 && recent < estimates ? `; last 30 days: ${Math.round(100 * lately)} % of ${recent}` : '';
  return estimates > 0 ? [`${Math.round(100 * coverage)} % of ${estimates}${since}`, `${Math.round(100 * Math.expm1(error))} %`] : ['', ''];
}
