import { element } from './dom.js';

/** Asks before something that can't be undone; resolves to whether it was confirmed. */
export async function confirmed(title, lines, action, { dangerous = false } = {}) {
  const answer = await ask(title, lines.map((line) => element('p', { textContent: line })), action, { dangerous });
  return answer !== null;
}

/** Asks for the fields of a form; resolves to them, or to `null` when it was dismissed. */
export function ask(title, content, action, { dangerous = false, className = '' } = {}) {
  const heading = element('h2', { textContent: title, id: 'dialog-title' });
  const form = element('form', { method: 'dialog' }, heading, content, element('div', { className: 'actions' },
    element('button', { type: 'button', textContent: 'Back', onclick: () => dialog.close() }),
    element('button', { className: dangerous ? 'danger' : 'primary', value: 'yes', textContent: action })));
  const dialog = element('dialog', { className, 'aria-labelledby': 'dialog-title' }, form);
  document.body.append(dialog);
  const before = document.activeElement;
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      const fields = dialog.returnValue === 'yes' ? Object.fromEntries(new FormData(form)) : null;
      dialog.remove();
      before?.focus?.();
      resolve(fields);
    });
  });
}

/** Says what went wrong, until it is dismissed or something else is. */
export function complain(message) {
  document.querySelector('.complaint')?.remove();
  const box = element('div', { className: 'complaint', role: 'alert' }, element('p', { textContent: message }),
    element('button', { type: 'button', textContent: 'Dismiss', onclick: () => box.remove() }));
  document.body.append(box);
}

/** Does something and complains if it fails. */
export async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    // What nobody waits for any more has not gone wrong.
    if (error.name !== 'AbortError') complain(error.message);
    return undefined;
  }
}
