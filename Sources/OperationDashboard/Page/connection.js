const list = '/api/ports/operations';
const names = ['snapshot', 'started', 'updated', 'finished', 'overload', 'history_health'];
const pollInterval = 2000;
const unauthorizedInterval = 10_000;
/** An answer that takes longer, in ms, is given up. */
const patience = 5000;
/** A stream that says nothing for so long, in ms, is doubted: where a machine sleeps or a network is lost, nobody says that it ended. */
const silence = 10_000;
/** A stream that was refused, or doesn't come, is asked for again with each so manieth poll. */
const pollsBetweenStreams = 3;

/**
 * The stream of all operations, or, where there is none, the list asked for every two seconds. It runs in a page or in a
 * worker that pages share.
 *
 * Messages: `{kind: 'state', state: 'live' | 'polling' | 'offline' | 'failing' | 'unauthorized'}`, and `{kind: 'event', name, data}`
 * with the names of the stream's events. Each operation has with it when it was told, as `receivedAt`.
 */
export class Connection {
  #tell;
  #source = null;
  /** Ends the asking; `null` while the stream is there. */
  #polling = null;
  #watching = null;
  #heardAt = 0;
  #state = 'connecting';
  #operations = new Map();
  /** What holds until it is told anew, by the names of events. */
  #standing = {};

  constructor(tell) {
    this.#tell = tell;
  }

  start() {
    if (!this.#source && !this.#polling) this.#open();
  }

  stop() {
    this.#close();
    this.#endPolling();
    this.#operations.clear();
    this.#standing = {};
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
      messages.push({ kind: 'event', name: 'snapshot', data: { operations: [...this.#operations.values()], ...this.#standing } });
    }
    return messages;
  }

  #open() {
    const source = new EventSource(`${list}/stream`);
    this.#source = source;
    this.#watching = setInterval(() => this.#watch(source), silence / 2);
    let hasTold = false;
    // A stream may be opened by something between that keeps what is said: it is live once it has said what there is. One that is taken
    // up again goes on where it was.
    const live = () => {
      this.#heardAt = Date.now();
      if (!hasTold) return;
      this.#endPolling();
      this.#become('live');
    };
    source.onopen = live;
    source.addEventListener('snapshot', () => {
      hasTold = true;
      live();
    });
    for (const name of names) source.addEventListener(name, (event) => this.#take(name, JSON.parse(event.data)));
    source.onerror = () => {
      // The browser tries again by itself unless it was refused. Until it is through, what is shown is not live.
      if (source.readyState === EventSource.CLOSED) this.#close();
      if (!this.#polling) this.#beginPolling();
    };
  }

  #close() {
    clearInterval(this.#watching);
    this.#source?.close();
    this.#source = null;
  }

  async #watch(source) {
    // It was given without a word, or neither given nor refused.
    if (this.#state !== 'live' && !this.#polling) this.#beginPolling();
    const isSilent = () => source.readyState === EventSource.OPEN && Date.now() - this.#heardAt >= silence;
    if (!isSilent()) return;
    const operations = await fetch(list, { cache: 'no-cache', signal: AbortSignal.timeout(patience) })
      .then((response) => (response.ok ? response.json().then((answer) => answer.operations) : 'refused'))
      .catch(() => 'unanswered');
    // Silence is right while nothing happens: then the list has what the stream has told, and nothing else.
    if (this.#source !== source || !isSilent() || (Array.isArray(operations) && this.#knowsAll(operations))) return;
    this.#close();
    if (operations === 'unanswered') this.#become('offline');
    if (!this.#polling) this.#beginPolling();
  }

  #knowsAll(operations) {
    return operations.length === this.#operations.size && operations.every(({ operation_id: id, status, completed_units: completed }) => {
      const known = this.#operations.get(id);
      return known?.status === status && known.completed_units === completed;
    });
  }

  async #beginPolling() {
    this.#polling = new AbortController();
    const { signal } = this.#polling;
    for (let count = 1; !signal.aborted; count += 1) {
      await this.#poll(signal);
      if (signal.aborted) return;
      // Nobody gets in without a token: `retry` says when there is one. A server that begins anew may ask for none.
      const isKeptOut = this.#state === 'unauthorized';
      if (isKeptOut) this.#close();
      await new Promise((resolve) => { setTimeout(resolve, isKeptOut ? unauthorizedInterval : pollInterval); });
      if (signal.aborted) return;
      if (count % pollsBetweenStreams === 0 && !isKeptOut) {
        this.#close();
        this.#open();
      }
    }
  }

  #endPolling() {
    this.#polling?.abort();
    this.#polling = null;
  }

  async #poll(signal) {
    try {
      const response = await fetch(list, { cache: 'no-cache', signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]) });
      if (signal.aborted) return;
      if (!response.ok) { this.#become(response.status === 401 ? 'unauthorized' : 'failing'); return; }
      const snapshot = await response.json();
      // The stream may have come while the list was on its way, and knows better.
      if (signal.aborted) return;
      this.#become('polling');
      this.#replace({ operations: snapshot.operations });
    } catch {
      if (!signal.aborted) this.#become('offline');
    }
  }

  #become(state) {
    if (this.#state === state) return;
    this.#state = state;
    this.#tell({ kind: 'state', state });
  }

  /** A polled list has operations alone. */
  #replace({ operations, overload, history_health }) {
    for (const operation of operations) operation.receivedAt = Date.now();
    this.#operations = new Map(operations.map((operation) => [operation.operation_id, operation]));
    this.#standing = { overload, history_health };
    this.#tell({ kind: 'event', name: 'snapshot', data: { operations, overload, history_health } });
  }

  #take(name, data) {
    this.#heardAt = Date.now();
    if (name === 'snapshot') { this.#replace(data); return; }
    if (data.operation_id) {
      data.receivedAt = Date.now();
      if (name === 'finished') this.#operations.delete(data.operation_id);
      else this.#operations.set(data.operation_id, data);
    } else {
      this.#standing[name] = data;
    }
    this.#tell({ kind: 'event', name, data });
  }
}
