const list = '/api/ports/operations';
const names = ['snapshot', 'started', 'updated', 'finished', 'overload', 'threshold', 'history_health'];
const pollInterval = 2000;

/**
 * The stream of all operations, or, where there is none, the list asked for every two seconds. It runs in a page or in a
 * worker that pages share.
 *
 * Messages: `{kind: 'state', state: 'live' | 'polling' | 'offline' | 'unauthorized'}`, and `{kind: 'event', name, data}` with
 * the names of the stream's events.
 */
export class Connection {
  #tell;
  #source = null;
  #timer = null;
  #state = 'connecting';
  #operations = new Map();
  #last = new Map();

  constructor(tell) {
    this.#tell = tell;
  }

  start() {
    if (this.#source || this.#timer) return;
    this.#open();
  }

  stop() {
    this.#source?.close();
    this.#source = null;
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#operations.clear();
    this.#state = 'connecting';
  }

  /** Tries at once what else would be tried later, such as after a token was given. */
  retry() {
    this.stop();
    this.start();
  }

  /** What a page that comes later has to be told. */
  present() {
    if (this.#state === 'connecting') return [];
    const messages = [{ kind: 'state', state: this.#state }];
    if (this.#state === 'live' || this.#state === 'polling') {
      messages.push({ kind: 'event', name: 'snapshot', data: { operations: [...this.#operations.values()] } });
    }
    for (const [name, data] of this.#last) messages.push({ kind: 'event', name, data });
    return messages;
  }

  #open() {
    const source = new EventSource(`${list}/stream`);
    this.#source = source;
    source.onopen = () => {
      clearTimeout(this.#timer);
      this.#timer = null;
      this.#become('live');
    };
    for (const name of names) source.addEventListener(name, (event) => this.#take(name, JSON.parse(event.data)));
    source.onerror = () => {
      // The browser tries again by itself unless it was refused; the list tells which of the two it is.
      if (source.readyState === EventSource.CLOSED) {
        source.close();
        if (this.#source === source) this.#source = null;
      }
      if (!this.#timer) this.#poll();
    };
  }

  async #poll() {
    this.#timer = setTimeout(() => {}, 0);
    try {
      const response = await fetch(list, { cache: 'no-cache' });
      if (response.ok) {
        const { operations } = await response.json();
        if (this.#state !== 'live') {
          this.#become('polling');
          this.#replace(operations);
        }
      } else {
        this.#become(response.status === 401 ? 'unauthorized' : 'offline');
      }
    } catch {
      this.#become('offline');
    }
    if (this.#timer === null) return;
    if (this.#source?.readyState === EventSource.OPEN) { this.#timer = null; return; }
    if (this.#state === 'unauthorized') { this.#source?.close(); this.#source = null; return; }
    this.#timer = setTimeout(() => {
      if (!this.#source) this.#open();
      this.#poll();
    }, pollInterval);
  }

  #become(state) {
    if (this.#state === state) return;
    this.#state = state;
    this.#tell({ kind: 'state', state });
  }

  #replace(operations) {
    this.#operations = new Map(operations.map((operation) => [operation.operation_id, operation]));
    this.#tell({ kind: 'event', name: 'snapshot', data: { operations } });
  }

  #take(name, data) {
    if (name === 'snapshot') { this.#replace(data.operations); return; }
    if (data.operation_id) {
      if (name === 'finished') this.#operations.delete(data.operation_id);
      else this.#operations.set(data.operation_id, data);
    } else {
      this.#last.set(name, data);
    }
    this.#tell({ kind: 'event', name, data });
  }
}
