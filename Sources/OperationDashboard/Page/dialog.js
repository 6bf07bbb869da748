import { element } from './dom.js';

let count = 0;
let opened = 0;
let leaving = new AbortController();

/** Ends when the view that is shown now is left: what was asked for it then is not waited for any more. */
export const visit = () => leaving.signal;

/** Ends what belongs to the view that is left: what it waits for, and what was asked or shown over it. */
export function leave() {
  leaving.abort();
  leaving = new AbortController();
  for (const dialog of document.querySelectorAll('dialog:modal:not(.token)')) dialog.close();
}

/** An id for a heading that a dialog is named by: several may be open at once. */
export const headingID = () => `dialog-title-${count += 1}`;

/** How many dialogs have been opened, but for those that ask for the token, which whatever is asked for may need. */
export const openings = () => opened;

/** Shows a dialog over all else; resolves once it is closed, with the focus back where it was. */
export async function open(dialog) {
  const before = document.activeElement;
  if (!dialog.classList.contains('token')) opened += 1;
  document.body.append(dialog);
  dialog.showModal();
  placeComplaint();
  // Its close event comes a task later than the focus goes back: a key could be pressed in between, while it still counts as asked.
  await new Promise((resolve) => { new MutationObserver(resolve).observe(dialog, { attributeFilter: ['open'] }); });
  placeComplaint();
  dialog.remove();
  before?.focus?.();
  // What it was opened from has gone meanwhile, or can't be pressed any more.
  if (document.activeElement === document.body) document.getElementById('main').focus();
}

/** Asks before something that can't be undone; resolves to whether it was confirmed. */
export async function confirmed(title, lines, action, { dangerous = false } = {}) {
  const answer = await ask(title, lines.map((line) => element('p', { textContent: line })), action, { dangerous });
  return answer !== null;
}

/** Asks for the fields of a form; resolves to them, or to `null` when it was dismissed. What went wrong before is done with. */
export async function ask(title, content, action, { dangerous = false, className = '' } = {}) {
  document.querySelector('.complaint')?.remove();
  const heading = element('h2', { textContent: title, id: headingID() });
  const form = element('form', { method: 'dialog' }, heading, content, element('div', { className: 'actions' },
    element('button', { type: 'button', textContent: 'Back', onclick: () => dialog.close() }),
    element('button', { className: dangerous ? 'danger' : 'primary', value: 'yes', textContent: action })));
  const dialog = element('dialog', { className, 'aria-labelledby': heading.id }, form);
  await open(dialog);
  return dialog.returnValue === 'yes' ? Object.fromEntries(new FormData(form)) : null;
}

/** What is complained of only until the server is back. */
let passing = null;

/** Says what went wrong, until it is dismissed or something else is; what is `isPassing` only until the server is back, where it is done `again`. */
export function complain(message, { isPassing = false, again = null } = {}) {
  document.querySelector('.complaint')?.remove();
  const box = element('div', { className: 'complaint', role: 'alert' }, element('p', { textContent: message }),
    element('button', { type: 'button', textContent: 'Dismiss', onclick: () => box.remove() }));
  passing = isPassing ? { box, since: performance.now(), again, view: visit() } : null;
  document.body.append(box);
  placeComplaint();
}

/**
 * Takes back what the server's coming back puts right, and returns whether there was something: the view is to ask again for what
 * it lacks. What was asked before that was said does not show that the server is back.
 */
export function relent(asked = performance.now()) {
  if (!passing?.box.isConnected || asked <= passing.since) return false;
  const { box, again, view } = passing;
  box.remove();
  if (!view.aborted) again?.();
  return true;
}

/** Puts what went wrong into the topmost dialog, outside of which nothing can be pressed. */
function placeComplaint() {
  const box = document.querySelector('.complaint');
  const place = [...document.querySelectorAll('dialog:modal')].at(-1) ?? document.body;
  if (box && box.parentNode !== place) place.append(box);
}

/** Does something and complains if it fails. `again`: how it is asked for once the server is back, where its view doesn't do so. */
export async function attempt(work, again) {
  try {
    return await work();
  } catch (error) {
    // What nobody waits for any more has not gone wrong; that a token is wanted is said above every view.
    if (error.name !== 'AbortError' && error.status !== 401) complain(error.message, { isPassing: error.isPassing, again });
    return undefined;
  }
}
