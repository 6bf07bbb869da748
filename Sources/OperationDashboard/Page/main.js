import { get, onAnswer, onUnauthorized, startSession } from './api.js';
import { ask, leave, relent } from './dialog.js';
import { element, setHidden, setText } from './dom.js';
import { EventsView } from './events-view.js';
import { nameOf, statusWord, unbroken } from './format.js';
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
  const name = location.hash.replace(/^#\/?|\/+$/g, '').toLowerCase() || 'operations';
  const view = Object.hasOwn(views, name) ? views[name] : views.operations;
  if (view === present) return;
  present?.hide();
  leave();
  const isFirst = present === null;
  present = view;
  main.replaceChildren(view.node);
  view.show();
  drawOverload();
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
  failing: 'Not live: the server answers with an error', unauthorized: 'Not live: the server asks for its token',
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
      token = fields.token.trim();
      if (!/^[\x21-\x7e]+$/.test(token)) {
        note = 'A token has letters, digits and signs of ASCII only, without spaces. It is in the server’s token file.';
        continue;
      }
      try {
        await startSession(token);
        live.retry();
        return true;
      } catch (error) {
        // Only 401 says something about the token; after anything else it may be tried again.
        const isWrong = error.status === 401;
        if (isWrong) token = '';
        note = isWrong ? 'That is not this server’s token. It is in its token file.' : `The token could not be checked. ${error.message}`;
      }
    }
  })().finally(() => { asking = null; });
  return asking;
}
onUnauthorized(authenticate);
// A server that only stood still is back without a word of the stream's.
const restore = () => present.restore?.();
onAnswer((asked) => relent(restore, asked));

document.getElementById('sign-in').addEventListener('click', async () => {
  hasDeclined = false;
  if (!await authenticate()) return;
  access.hidden = true;
  main.focus();
  restore();
});

const live = connect((message) => {
  if (message.kind === 'event') { store.take(message); return; }
  const before = liveness.dataset.state;
  announce();
  liveness.dataset.state = message.state;
  store.reach(message.state === 'live' || message.state === 'polling');
  setText(document.getElementById('liveness-text'), words[message.state]);
  if (message.state === 'unauthorized') authenticate();
  if (message.state !== 'live' && message.state !== 'polling') return;
  // Signed in here or in another tab, or the server asks no more; it may have been away in between.
  isSignedIn = true;
  hasDeclined = false;
  setHidden(access, true);
  document.querySelector('dialog.token')?.close();
  if (!['unauthorized', 'offline', 'failing'].includes(before)) return;
  const restored = restore();
  relent(() => restored);
});

// The stream tells of this server's operations alone. What other processes do with the same data is in the history, which is
// asked the more seldom, the more of it would be told for nothing.
async function lookElsewhere() {
  const own = store.operations.size;
  const isReached = liveness.dataset.state === 'live' || liveness.dataset.state === 'polling';
  if (isReached && store.isLoaded && !document.hidden) {
    const limit = Math.min(1000, own + 100);
    const page = await get(`/api/ports/operations/history?status=in_progress&status=paused&status=pending&limit=${limit}`).catch(() => null);
    if (page) store.takeHistory(page.operations);
  }
  setTimeout(lookElsewhere, 3000 + 20 * own);
}
lookElsewhere();

// A list that is asked for tells operations alone. While nothing runs nobody measures; only the start view asks all the same.
// What was asked for before something newer was told comes too late.
let asked = 0;
let told = 0;
store.addEventListener('snapshot', async ({ detail }) => {
  const turn = asked += 1;
  if (detail.overload) { told = turn; return; }
  const [overload, health] = await Promise.all([
    store.isActive ? get('/api/ports/operations/check-overload').catch(() => null) : null, get('/health').catch(() => null),
  ]);
  if (turn < told) return;
  told = turn;
  if (overload) store.take({ name: 'overload', data: overload });
  if (health) store.take({ name: 'history_health', data: health });
});

const banner = document.getElementById('overload');
/** What was measured last says nothing once nothing runs. */
function drawOverload() {
  const { overloaded, reasons } = store.overload ?? {};
  const isShown = Boolean(overloaded) && (store.isActive || present === views.start);
  // That it begins is read out, not each figure that comes after.
  if (isShown && banner.hidden) announce('The machine is overloaded');
  if (isShown) banner.replaceChildren(element('strong', { textContent: 'The machine is overloaded.' }), element('ul', {}, reasons.map((reason) => element('li', { textContent: unbroken(reason.message) }))));
  setHidden(banner, !isShown);
}
store.addEventListener('overload', drawOverload);
store.addEventListener('change', () => { if (banner.hidden === store.isActive) drawOverload(); });

const unwritten = document.getElementById('unwritten');
store.addEventListener('health', () => {
  const { status, reason } = store.historyHealth;
  const isUnwritten = status === 'degraded';
  setText(unwritten, isUnwritten ? `The history can’t be written: ${reason}` : '');
  setHidden(unwritten, !isUnwritten);
});

// Endings are read out, several at once rather than one after the other: a screen reader is to be told, not occupied. So is
// whether the page is live, if that has changed for longer than a moment; that it is to begin with goes without saying.
const notices = [];
const endings = [];
let announcing = null;
let stateSaid = 'live';
function announce(notice, list = notices) {
  if (notice) list.push(notice);
  announcing ??= setTimeout(() => {
    announcing = null;
    const { state } = liveness.dataset;
    if (state !== stateSaid) notices.push(words[state]);
    stateSaid = state;
    const ended = endings.splice(0);
    const told = [...notices.splice(0), ...(ended.length <= 3 ? ended : [`${ended.length} operations have ended`])];
    if (told.length > 0) setText(document.getElementById('announcer'), told.join('. '));
  }, 3000);
}
store.addEventListener('ended', ({ detail }) => announce(`${nameOf(detail)} ${statusWord(detail)}`, endings));

// Its address would be taken for a view's.
document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault();
  main.focus();
});

addEventListener('hashchange', route);
route();
