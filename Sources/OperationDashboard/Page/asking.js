/** A question of which only the newest answer counts: to begin it anew ends the one before. */
export class Asking {
  #now = null;

  get isOpen() { return this.#now !== null; }

  /** The signal is aborted once nobody waits for the answer any more. */
  begin() {
    this.end();
    this.#now = new AbortController();
    return this.#now.signal;
  }

  end() {
    this.#now?.abort();
    this.#now = null;
  }
}

/** Looks for what is new: a second after something has happened, and now and then in any case, though not for a page in the background. */
export class Lookout {
  #look;
  #soon = null;
  #nowAndThen = null;

  constructor(look) { this.#look = look; }

  begin() { this.#nowAndThen = setInterval(() => { if (!document.hidden) this.soon(); }, 10_000); }

  soon = () => { this.#soon ??= setTimeout(() => { this.#soon = null; this.#look(); }, 1000); };

  end() {
    clearInterval(this.#nowAndThen);
    clearTimeout(this.#soon);
    this.#soon = null;
  }
}
