import { get, post } from './api.js';
import { attempt, complain, confirmed, visit } from './dialog.js';
import { element } from './dom.js';
import { nameOf, statusWord, typeWord } from './format.js';

/**
 * What can be started from here: a form each, made into a request of the provider's. A provider that this page knows no form
 * for takes its request as JSON.
 */
const forms = {
  pull_model: {
    title: 'Pull a model', action: 'Pull', text: 'Has the Ollama server of this machine fetch a model.',
    fields: [{ name: 'model', label: 'Model', required: true, pattern: '[^\\s]{1,512}', placeholder: 'llama3.2', title: '1 to 512 characters without spaces' }],
    request: ({ model }) => ({ model, insecure: false }),
  },
  download: {
    title: 'Download a file', action: 'Download', text: 'Lands in the downloads folder of the server’s data.',
    fields: [
      { name: 'url', label: 'Address', type: 'url', required: true, pattern: '[hH][tT][tT][pP][sS]?://.+', placeholder: 'https://', title: 'An address that begins with http:// or https://' },
      { name: 'target', label: 'Name of the file, if not as in the address', pattern: '[^\\/\\\\]+', title: 'A name without slashes' },
      { name: 'sha256', label: 'SHA-256, if it is to be checked', pattern: '[0-9a-fA-F]{64}', title: '64 hexadecimal digits' },
    ],
    request: ({ url, target, sha256 }) => ({ url: url.replace(/^https?:/i, (scheme) => scheme.toLowerCase()), ...(target && { target }), ...(sha256 && { sha256 }) }),
  },
  seed: {
    title: 'Seed icons', action: 'Seed', text: 'Searches the Noun Project for the usual set of icons and downloads them.',
    fields: [{ name: 'per_term', label: 'Icons for each term', type: 'number', min: 1, max: 5, value: 1, required: true }],
    request: ({ per_term: count }) => ({ per_term: Number(count) }),
  },
  ok_setup: {
    title: 'Set up the OK gateway', action: 'Set up', text: 'Installs what is missing, starts Ollama, and pulls the usual models.',
    fields: [], request: () => ({}),
  },
};

const overloadInterval = 5000;

/** Starts operations from forms. */
export class StartView {
  #store;
  #timer = null;
  /** The operations started from here that have not ended, and where that is said. */
  #started = new Map();
  /** The forms that are being sent, and what is in them. */
  #sent = new Map();
  /** The providers that are shown, as JSON. */
  #shown = null;
  #forms = element('div', { className: 'forms' });
  node = element('section', { 'aria-labelledby': 'start-title' }, element('h2', { id: 'start-title', textContent: 'Start' }), this.#forms);

  constructor(store) {
    this.#store = store;
    store.addEventListener('ended', ({ detail }) => this.#tellEnding(detail));
  }

  #tellEnding(operation) {
    const status = this.#started.get(operation.operation_id);
    if (!status) return;
    this.#started.delete(operation.operation_id);
    status.replaceChildren(`${nameOf(operation)}: ${statusWord(operation)}. ${operation.error ? `${operation.error} ` : ''}`, element('a', { href: '#/history', textContent: 'See the history' }));
  }

  async show() {
    this.#watchLoad();
    const answer = await attempt(() => get('/api/ports/providers', { signal: visit() }));
    if (!answer) return;
    // What has been typed stays, unless this is another server now.
    const shown = JSON.stringify(answer);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const providers = [...answer.providers.filter((provider) => provider.may_be_started), ...answer.missing];
    const order = Object.keys(forms);
    const place = ({ operation_type: type }) => (order.includes(type) ? order.indexOf(type) : order.length);
    providers.sort((a, b) => place(a) - place(b));
    this.#started.clear();
    this.#forms.replaceChildren(...providers.map((provider) => (provider.reason ? this.#missing(provider) : this.#form(provider))));
    if (providers.length === 0) this.#forms.append(element('p', { className: 'empty', textContent: 'This server starts nothing over HTTP. Its configuration says what it may.' }));
  }

  /** Asks again, such as when the server is back. */
  restore() { return this.show(); }

  hide() { clearTimeout(this.#timer); }

  /** While nothing runs, nobody measures unless asked; and before something heavy is started, people are to know. */
  async #watchLoad() {
    clearTimeout(this.#timer);
    // What a page in the background asks for nobody sees, and the server measures for it.
    if (!document.hidden) await this.#askForLoad();
    clearTimeout(this.#timer);
    if (this.node.isConnected) this.#timer = setTimeout(() => this.#watchLoad(), overloadInterval);
  }

  async #askForLoad() {
    const overload = await get('/api/ports/operations/check-overload').catch(() => null);
    if (overload && this.node.isConnected) this.#store.take({ name: 'overload', data: overload });
    return overload;
  }

  /** Says in the place of a form why there is none. */
  #missing({ operation_type: type, reason }) {
    return element('article', { className: 'card start' }, element('h3', { textContent: forms[type]?.title ?? typeWord(type) }), element('p', { className: 'quiet', textContent: reason }));
  }

  #form(provider) {
    const type = provider.operation_type;
    const form = forms[type] ?? {
      title: typeWord(type), action: 'Start', text: '',
      fields: [{ name: 'json', label: 'Request, as JSON', multiline: true, required: true, value: JSON.stringify(provider.request_example ?? {}, null, 2) }],
      request: ({ json }) => JSON.parse(json),
    };
    const status = element('p', { className: 'quiet', role: 'status' });
    const fields = form.fields.map(({ label, multiline, ...attributes }) => element('label', {}, label, element(multiline ? 'textarea' : 'input', attributes)));
    const priority = element('label', {}, 'Priority', element('select', { name: 'priority' },
      ['low', 'normal', 'high', 'urgent'].map((value) => element('option', { value, textContent: value, selected: value === 'normal' }))));
    const node = element('form', { className: 'card start', oninput: () => this.#say(status), onchange: trim, onsubmit: (event) => { event.preventDefault(); this.#submitOnce(type, form, node, status); } },
      element('h3', { textContent: form.title }), element('p', { className: 'quiet', textContent: form.text }), fields, priority,
      element('div', { className: 'actions' }, element('button', { className: 'primary', textContent: form.action })), status);
    return node;
  }

  /** Says something under a form, in the place of what was said of what was started before. */
  #say(status, ...words) {
    for (const [id, place] of this.#started) if (place === status) this.#started.delete(id);
    status.replaceChildren(...words);
  }

  /** What is on its way is not sent again; what else is wanted meanwhile has to wait. */
  async #submitOnce(type, form, node, status) {
    const wanted = JSON.stringify([...new FormData(node)]);
    const sent = this.#sent.get(node);
    if (sent && sent !== wanted) this.#say(status, 'What was asked for before is still being started. Try again once that is done.');
    if (sent) return;
    this.#sent.set(node, wanted);
    const button = node.querySelector('button');
    button.ariaDisabled = 'true';
    await this.#submit(type, form, node, status).finally(() => {
      this.#sent.delete(node);
      button.ariaDisabled = null;
    });
  }

  async #submit(type, form, node, status) {
    const { priority, ...values } = Object.fromEntries(new FormData(node));
    let request;
    try { request = form.request(values); } catch (error) { this.#say(status, `That is no JSON: ${error.message}`); return; }
    this.#say(status, 'Starting …');
    const overload = await this.#askForLoad() ?? this.#store.overload;
    if (overload?.overloaded) {
      const reasons = overload.reasons.map((reason) => reason.message);
      // Over another view nobody would know what is asked.
      if (!this.node.isConnected) { this.#refuse(status, ['Not started, since the machine is busy.', ...reasons].join(' ')); return; }
      if (!await confirmed('The machine is busy', [...reasons, 'It may wait, or slow everything down.'], 'Start all the same')) { this.#say(status, 'Not started.'); return; }
      this.#say(status, 'Starting …');
    }
    try {
      const { operation_id: id, joined, warning } = await post('/api/ports/operations/run', { operation_type: type, request, priority });
      this.#say(status, joined ? 'That is being done already. ' : 'Started. ', element('a', { href: '#/operations', textContent: 'Watch it' }), ...(warning ? [element('br'), warning] : []));
      this.#started.set(id, status);
      // What fails at once may have ended before this is answered.
      const known = this.#store.operations.get(id);
      if (known?.finished_at) this.#tellEnding(known);
    } catch (error) {
      this.#refuse(status, error.message);
    }
  }

  /** Says why nothing was started, also to who has gone elsewhere meanwhile, and believes that it was. */
  #refuse(status, message) {
    this.#say(status, message);
    if (!this.node.isConnected) complain(message);
  }
}

/** Takes away blanks at the ends, which come with what is pasted. */
function trim({ target }) {
  if (target.type === 'text' || target.type === 'url') target.value = target.value.trim();
}
