/** How many measurements of speed are kept of an operation, for its sparkline. */
const speedsKept = 60;
/** How long an operation that has ended is still shown among the running ones. */
const endedShown = 8000;

/**
 * The operations as this page knows them. Changes are gathered and told once a frame, so that however fast they come the page
 * is drawn no more often than it can be.
 */
export class Store extends EventTarget {
  operations = new Map();
  speeds = new Map();
  overload = null;
  historyHealth = null;
  #changed = new Set();
  #isScheduled = false;

  take({ name, data }) {
    switch (name) {
      case 'snapshot': this.#replace(data.operations); break;
      case 'started': case 'updated': this.#put(data); break;
      case 'finished': this.#end(data); break;
      case 'overload': this.overload = data; this.dispatchEvent(new CustomEvent('overload')); break;
      case 'history_health': this.historyHealth = data; this.dispatchEvent(new CustomEvent('health')); break;
    }
  }

  /** Those that are parts of an operation. */
  children(id) {
    return [...this.operations.values()].filter((operation) => operation.parent_id === id);
  }

  #replace(operations) {
    const present = new Set(operations.map((operation) => operation.operation_id));
    for (const [id, operation] of this.operations) if (!present.has(id) && !operation.finished_at) this.#remove(id);
    for (const operation of operations) this.#put(operation);
    this.dispatchEvent(new CustomEvent('snapshot'));
    this.#schedule();
  }

  #put(operation) {
    const id = operation.operation_id;
    this.operations.set(id, operation);
    const speeds = this.speeds.get(id) ?? [];
    speeds.push(operation.status === 'in_progress' ? operation.resource_impact.network_mbps ?? 0 : 0);
    if (speeds.length > speedsKept) speeds.shift();
    this.speeds.set(id, speeds);
    this.#changed.add(id);
    this.#schedule();
  }

  #end(operation) {
    this.#put(operation);
    this.dispatchEvent(new CustomEvent('ended', { detail: operation }));
    setTimeout(() => {
      if (this.operations.get(operation.operation_id)?.finished_at) this.#remove(operation.operation_id);
    }, endedShown);
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
