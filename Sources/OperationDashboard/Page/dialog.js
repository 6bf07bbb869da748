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

/** What got no answer: it is asked for again once the server gives one, also where the complaint of it was dismissed. */
let missing = null;
/** Whether that is on its way. */
let isAskingAgain = false;

/** Says what went wrong, until it is dismissed or something else is; what is `isPassing` only until the server is back, where it is done `again`. */
export function complain(message, { isPassing = false, again = null } = {}) {
  // What fails anew without anybody's doing is not said anew.
  const isSaid = isPassing && isAskingAgain && missing?.message === message;
  const box = isSaid ? missing.box : say(message);
  if (isPassing) missing = { box, message, since: performance.now(), again, view: visit() };
}

function say(message) {
  document.querySelector('.complaint')?.remove();
  const box = element('div', { className: 'complaint', role: 'alert' }, element('p', { textContent: message }),
    element('button', { type: 'button', textContent: 'Dismiss', onclick: () => box.remove() }));
  document.body.append(box);
  placeComplaint();
  return box;
}

/**
 * Has what got no answer be asked for again, by the view's `restore` for what that lacks, and takes back the complaint once there is
 * none anew: what fails alone, while all else is answered, would else be said again and again. What was `asked` before that was said
 * does not show that the server is back.
 */
export async function relent(restore, asked = performance.now()) {
  if (!missing || isAskingAgain || asked <= missing.since) return;
  const known = missing;
  isAskingAgain = true;
  await Promise.allSettled([known.view.aborted ? null : known.again?.(), restore()]);
  isAskingAgain = false;
  if (missing !== known) return;
  known.box.remove();
  missing = null;
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
