/** What went wrong with a request, in the server's words where it had any. */
class RequestError extends Error {
  /** Whether it was a mere question that the server did not hear: it can be asked again once the server is back. */
  isPassing = false;

  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** How long an answer is waited for, in ms, where asking again does no harm. */
const patience = 10_000;

let authenticate = null;

/** Says how a person is asked for the token when the server wants one; resolves to whether there is a session now. */
export function onUnauthorized(ask) {
  authenticate = ask;
}

let hear = () => {};

/** Says what is done when a question was answered; it is given when that was asked, in ms of this page. */
export function onAnswer(listener) {
  hear = listener;
}

/**
 * Asks the server. A session that it wants is asked for once, and the request made again.
 *
 * `repeatable`: whether asking again does no harm, so that it is not waited for for ever.
 */
async function request(method, path, body, { retrying = false, repeatable = method === 'GET', signal, headers = {} } = {}) {
  const asked = performance.now();
  let response;
  try {
    response = await fetch(path, {
      method,
      signal: repeatable ? AbortSignal.any([AbortSignal.timeout(patience), ...(signal ? [signal] : [])]) : signal,
      headers: body === undefined ? headers : { 'Content-Type': 'application/json', ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    throw explained(error, method);
  }
  if (response.status === 401 && !retrying && authenticate) {
    if (await authenticate()) return request(method, path, body, { retrying: true, repeatable, signal, headers });
  }
  const text = await response.text().catch((error) => { throw explained(error, method); });
  let value = null;
  try { value = text ? JSON.parse(text) : null; } catch { /* Not ours, such as a proxy's page. */ }
  if (!response.ok) throw new RequestError(response.status, value?.detail ?? `The server answered ${response.status}.`);
  if (method === 'GET') hear(asked);
  return value;
}

function explained(error, method) {
  if (error.name === 'AbortError') return error;
  const isLate = error.name === 'TimeoutError';
  const unheard = new RequestError(0, isLate ? `The server has not answered within ${patience / 1000} s. It may be very busy: try again.`
    : 'The server does not answer. It may be stopped, or starting again.');
  unheard.isPassing = method === 'GET';
  return unheard;
}

export const get = (path, options) => request('GET', path, undefined, options);
export const post = (path, body, options) => request('POST', path, body, options);

/** Trades the server's token for a cookie that this page can't read. A token that is not the server's fails with status 401. */
export const startSession = (token) => request('POST', '/api/session', undefined, { retrying: true, headers: { Authorization: `Bearer ${token}` } });

/** A path with a query; what is empty is left out. */
export function withQuery(path, parameters) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) if (value !== '' && value !== null && value !== undefined) query.append(key, value);
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}
