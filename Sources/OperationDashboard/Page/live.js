import { Connection } from './connection.js';

/** What the server tells as it happens, through a worker that all tabs share where the browser has such workers. */
export function connect(take) {
  if (!('SharedWorker' in globalThis)) return alone(take);
  const worker = new SharedWorker('/assets/live-worker.js', { type: 'module', name: 'operations' });
  const live = { retry: () => worker.port.postMessage('retry') };
  worker.port.onmessage = ({ data }) => take(data);
  // It could not be loaded, such as while the server begins anew.
  worker.onerror = () => {
    worker.onerror = null;
    worker.port.close();
    Object.assign(live, alone(take));
  };
  worker.port.start();
  addEventListener('pagehide', () => worker.port.postMessage('bye'));
  // A page that comes back from the browser's cache has said goodbye before.
  addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });
  return live;
}

function alone(take) {
  const connection = new Connection(take);
  connection.start();
  return { retry: () => connection.retry() };
}
