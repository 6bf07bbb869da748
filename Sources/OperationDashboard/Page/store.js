/** How long speeds are kept of an operation for its sparkline, in s, one for each second. */
const speedsKept = 60;
/** How long an operation that has ended is still shown among the running ones. */
const endedShown = 8000;
/** What has failed says why, which takes longer to read. */
const failedShown = 30_000;
/** How many endings are asked for at once when operations are gone. */
const endingsAskedFor = 20;

/**
 * The operations as this page knows them. Changes are gathered and told once a frame, so that however fast they come the page
 * is drawn no more often than it can be.
 */
export class Store extends EventTarget {
  operations = new Map();
  /** Of each operation, `[second, Mbit/s]`. */
  speeds = new Map();
  overload = null;
  historyHealth = null;
  /** Whether the server has said what there is. */
  isLoaded = false;
  /** Whether what is shown goes on: while the server isn't reached, nobody knows what has become of it. */
  isReached = true;
  #find;
  /** What was said to run elsewhere when that was last asked. */
  #heardOf = new Set();
  #changed = new Set();
  #isScheduled = false;

  /** `find` asks the server for one operation. */
  constructor(find) {
    super();
    this.#find = find;
  }

  /** Takes whether the server is reached. */
  reach(isReached) {
    if (this.isReached === isReached) return;
    this.isReached = isReached;
    for (const id of this.operations.keys()) this.#changed.add(id);
    this.#schedule();
  }

  take({ name, data }) {
    switch (name) {
      case 'snapshot': this.#replace(data); break;
      case 'started': case 'updated': this.#put(data); break;
      case 'finished': this.#end(data); break;
      case 'overload': case 'history_health': this.#hold({ [name]: data }); break;
    }
  }

  /**
   * Takes what the history says is active. What this server doesn't run, another process does that has the same data. It is
   * believed when it is said twice: of what begins or ends here, the stream may tell later than the history, or sooner.
   */
  takeHistory(active) {
    const isOwn = (id) => this.operations.has(id) && !this.operations.get(id).isElsewhere;
    const found = new Map(active.map((operation) => [operation.operation_id, operation]).filter(([id]) => !isOwn(id)));
    this.#learnEndings([...this.operations.values()].filter(({ operation_id: id, isElsewhere, finished_at: finished }) => isElsewhere && !finished && !found.has(id)));
    for (const [id, operation] of found) {
      if (this.#heardOf.has(id)) this.#put({ ...operation, isElsewhere: true, receivedAt: Date.now() });
    }
    this.#heardOf = new Set(found.keys());
    this.dispatchEvent(new CustomEvent('history', { detail: new Set(active.map((operation) => operation.operation_id)) }));
  }

  /** Whether anything runs or waits on this server. */
  get isActive() {
    for (const operation of this.operations.values()) if (!operation.finished_at && !operation.isElsewhere) return true;
    return false;
  }

  /** Those that are parts of an operation. */
  children(id) {
    return [...this.operations.values()].filter((operation) => operation.parent_id === id);
  }

  /** Takes what holds until it is told anew. */
  #hold({ overload, history_health: health }) {
    if (overload) { this.overload = overload; this.dispatchEvent(new CustomEvent('overload')); }
    if (health) { this.historyHealth = health; this.dispatchEvent(new CustomEvent('health')); }
  }

  #replace(snapshot) {
    const { operations } = snapshot;
    this.isLoaded = true;
    const present = new Set(operations.map((operation) => operation.operation_id));
    this.#learnEndings([...this.operations.values()].filter((operation) => !present.has(operation.operation_id) && !operation.finished_at && !operation.isElsewhere));
    for (const operation of operations) this.#put(operation);
    this.#hold(snapshot);
    this.dispatchEvent(new CustomEvent('snapshot', { detail: snapshot }));
    this.#schedule();
  }

  #put(operation) {
    const { operation_id: id, status, pending_request: wish } = operation;
    const before = this.operations.get(id);
    this.operations.set(id, operation);
    this.#keepSpeed(id, status === 'in_progress' ? operation.resource_impact.network_mbps ?? 0 : 0);
    if (before?.status !== status || before.pending_request !== wish) this.dispatchEvent(new CustomEvent('step', { detail: operation }));
    this.#changed.add(id);
    this.#schedule();
  }

  #keepSpeed(id, speed) {
    const second = Math.floor(performance.now() / 1000);
    const speeds = this.speeds.get(id) ?? [];
    if (speeds.at(-1)?.[0] === second) speeds.pop();
    speeds.push([second, speed]);
    while (speeds[0][0] < second - speedsKept) speeds.shift();
    this.speeds.set(id, speeds);
  }

  /** They ended while nobody told: what has become of them is asked, unless they are so many that nobody would read it. */
  #learnEndings(gone) {
    for (const { operation_id: id } of gone) if (gone.length > endingsAskedFor) this.#remove(id); else this.#learnEnding(id);
  }

  async #learnEnding(id) {
    const operation = await this.#find(id).catch(() => null);
    // It may have come back, or its ending been told, while this was asked.
    if (!this.operations.has(id) || this.operations.get(id).finished_at) return;
    if (operation?.finished_at) this.#end({ ...operation, isElsewhere: this.operations.get(id).isElsewhere });
    else if (!operation) this.#remove(id);
  }

  #end(operation) {
    this.#put(operation);
    this.dispatchEvent(new CustomEvent('ended', { detail: operation }));
    setTimeout(() => {
      if (this.operations.get(operation.operation_id)?.finished_at) this.#remove(operation.operation_id);
    }, operation.status === 'failed' ? failedShown : endedShown);
  }

  #remove(id) {
    this.operations.delete(id);
    this.speeds.delete(id);
    this.#changed.add(id);
    this.#schedule();
  }

  #schedule() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const tell = () => {
      if (!this.#isScheduled) return;
      this.#isScheduled = false;
      const changed = this.#changed;
      this.#changed = new Set();
      this.dispatchEvent(new CustomEvent('change', { detail: changed }));
    };
    // A page in the background gets no frames; its changes are told all the same, or they would pile up.
    requestAnimationFrame(tell);
    if (document.hidden) setTimeout(tell, 1000);
  }
}
