import { get, onUnauthorized, startSession } from './api.js';
import { ask, complain } from './dialog.js';
import { element, setHidden, setText } from './dom.js';
import { EventsView } from './events-view.js';
import { statusWord } from './format.js';
import { HistoryView } from './history-view.js';
import { connect } from './live.js';
import { MachineView } from './machine-view.js';
import { OperationsView } from './operations-view.js';
import { PortsView } from './ports-view.js';
import { StartView } from './start-view.js';
import { Store } from './store.js';

const store = new Store((id) => get(`/api/ports/operations/${id}`));
const views = {
  operations: new OperationsView(store),
  start: new StartView(store),
  machine: new MachineView(),
  ports: new PortsView(),
  history: new HistoryView(store),
  events: new EventsView(store),
};
const main = document.getElementById('main');
let present = null;

function route() {
  const name = location.hash.replace(/^#\/?/, '') || 'operations';
  const view = views[name] ?? views.operations;
  if (view === present) return;
  present?.hide();
  const isFirst = present === null;
  present = view;
  main.replaceChildren(view.node);
  view.show();
  for (const link of document.querySelectorAll('nav a')) {
    if (views[link.dataset.view] === view) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  document.title = `${view.node.querySelector('h2').textContent} · Operations`;
  if (!isFirst) main.focus();
}

const liveness = document.getElementById('liveness');
const words = {
  connecting: 'Connecting', live: 'Live', polling: 'Not live: asked every 2 s', offline: 'Not live: the server does not answer',
  unauthorized: 'Not live: the server asks for its token',
};

const access = document.getElementById('access');
let asking = null;
let hasDeclined = false;
let isSignedIn = false;
/** Asks for the token once, however many requests wait for it. Who would not give it is not asked again until they want to. */
function authenticate() {
  if (hasDeclined) return false;
  asking ??= (async () => {
    isSignedIn = false;
    let note = 'The server keeps it in its token file.';
    let token = '';
    for (;;) {
      const fields = await ask('This server asks for its token', [
        element('p', { textContent: note }),
        element('label', {}, 'Token', element('input', { name: 'token', type: 'password', required: true, autocomplete: 'current-password', value: token })),
      ], 'Sign in', { className: 'token' });
      if (!fields && isSignedIn) return true;
      if (!fields) {
        hasDeclined = true;
        setHidden(access, false);
        return false;
      }
      try {
        await startSession(fields.token);
        live.retry();
        return true;
      } catch (error) {
        // Only 401 says something about the token; after anything else it may be tried again.
        const isWrong = error.status === 401;
        token = isWrong ? '' : fields.token;
        note = isWrong ? 'That is not this server’s token. It is in its token file.' : `The token could not be checked. ${error.message}`;
      }
    }
  })().finally(() => { asking = null; });
  return asking;
}
onUnauthorized(authenticate);

document.getElementById('sign-in').addEventListener('click', async () => {
  hasDeclined = false;
  if (!await authenticate()) return;
  access.hidden = true;
  main.focus();
  present.restore?.();
});

const live = connect((message) => {
  if (message.kind === 'event') { store.take(message); return; }
  const before = liveness.dataset.state;
  liveness.dataset.state = message.state;
  setText(document.getElementById('liveness-text'), words[message.state]);
  if (message.state === 'unauthorized') authenticate();
  if (message.state !== 'live' && message.state !== 'polling') return;
  if (before === 'unauthorized') {
    // Here or in another tab.
    isSignedIn = true;
    hasDeclined = false;
    setHidden(access, true);
    document.querySelector('dialog.token')?.close();
  }
  if (before === 'unauthorized' || before === 'offline') present.restore?.();
  if (before !== 'live' && before !== 'polling') askForHealth();
});

// The stream tells changes alone: what held before it began is asked for. While nothing runs nobody measures, and what was
// measured last says nothing; only the start view asks all the same.
store.addEventListener('snapshot', async () => {
  if (!store.isActive) return;
  const overload = await get('/api/ports/operations/check-overload').catch(() => null);
  if (overload) store.take({ name: 'overload', data: overload });
});
store.addEventListener('change', () => {
  const isOld = store.overload?.overloaded && !store.isActive && present !== views.start;
  if (isOld) store.take({ name: 'overload', data: { overloaded: false, reasons: [] } });
});

const banner = document.getElementById('overload');
store.addEventListener('overload', () => {
  const { overloaded, reasons } = store.overload;
  // That it begins is read out, not each figure that comes after.
  if (overloaded && banner.hidden) announce(notices, 'The machine is overloaded');
  setHidden(banner, !overloaded);
  if (overloaded) banner.replaceChildren(element('strong', { textContent: 'The machine is overloaded.' }), element('ul', {}, reasons.map((reason) => element('li', { textContent: reason.message }))));
});
store.addEventListener('health', () => {
  if (store.historyHealth.status === 'degraded') complain(`The history can’t be written: ${store.historyHealth.reason}`);
});
async function askForHealth() {
  const health = await get('/health').catch(() => null);
  if (health) store.take({ name: 'history_health', data: health });
}

// Endings are read out, several at once rather than one after the other: a screen reader is to be told, not occupied.
const notices = [];
const endings = [];
let announcing = null;
function announce(list, text) {
  list.push(text);
  announcing ??= setTimeout(() => {
    announcing = null;
    const ended = endings.splice(0);
    const told = ended.length <= 3 ? ended : [`${ended.length} operations have ended`];
    setText(document.getElementById('announcer'), [...notices.splice(0), ...told].join('. '));
  }, 3000);
}
store.addEventListener('ended', ({ detail }) => announce(endings, `${detail.description || detail.operation_type} ${statusWord(detail)}`));

// Its address would be taken for a view's.
document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault();
  main.focus();
});

addEventListener('hashchange', route);
route();
