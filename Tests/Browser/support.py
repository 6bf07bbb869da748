"""Servers to drive, and pages that see what goes wrong in them."""

import contextlib
import http.server
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import folder
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Integration"))
from bound_ports import free_port  # noqa: E402: it is found there only

WIZARD = sys.argv[1]
SCREENSHOTS = sys.argv[4] if len(sys.argv) > 4 else None
PAGE_DIR = os.environ.get("PAGE_DIR")
ROOT = "/api/ports/operations"
# How long anything is waited for, in s: a machine that is busy with other things takes its time.
PATIENCE = 45
expect.set_options(timeout=1000 * PATIENCE)


class Program:
    """A server that says where it listens, ended by its pid."""

    def __init__(self, arguments, environment=None):
        self.process = subprocess.Popen(
            arguments, stdout=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})}
        )
        line = self.process.stdout.readline()
        match = re.match(r"listening on (http://\S+)", line)
        assert match, f"{arguments[0]} said {line!r} instead of where it listens"
        self.url = match.group(1)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=PATIENCE)


def call(server, method, path, body=None, token=None):
    request = urllib.request.Request(server.url + path, method=method)
    data = None
    if body is not None:
        data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, data) as answer:
        return json.loads(answer.read() or b"null")


def start(server, name, kind="install", **more):
    """Begins what a client reports of itself; returns its number."""
    return call(server, "POST", ROOT + "/start", {"operation_type": kind, "description": name, **more})["operation_id"]


def finish(server, identity, **ending):
    """Ends it; returns its number."""
    call(server, "POST", f"{ROOT}/{identity}/complete", ending)
    return identity


def example(server, name="Like this", kind="install"):
    """What the server tells of an operation that runs, for a test to make others of."""
    identity = start(server, name, kind)
    operation = call(server, "GET", f"{ROOT}/{identity}")
    finish(server, identity)
    return operation


# What else runs on the machine is not this test's matter.
NEVER_OVERLOADED = {"cpu_percent": None, "host_cpu_percent": None, "memory_pressure_percent": None}


def serve(data, stand_in, port=None, *more, **configuration):
    """A server with a configuration; the same data again takes up what the last one left.

    Its port stays its own when it has ended: a page that looks for it would else be given that very port to look from.
    """
    config = os.path.join(data, "config.json")
    with open(config, "w") as file:
        json.dump({"overload": NEVER_OVERLOADED, **configuration}, file)
    return Program(
        [WIZARD, "serve", "--port", str(port or free_port()), "--data", data, "--config", config, *more],
        {"OLLAMA_HOST": stand_in.url} if stand_in else {},
    )


@contextlib.contextmanager
def configured(stand_in, **configuration):
    """A server of its own with a configuration."""
    with tempfile.TemporaryDirectory() as data:
        server = serve(data, stand_in, **configuration)
        try:
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def with_services(*services, port=None):
    """A server that looks after services. Whoever it tells to end does so by itself, however long that takes it."""
    with tempfile.TemporaryDirectory() as data:
        with open(os.path.join(data, "services.json"), "w") as file:
            json.dump({"services": services}, file)
        server = serve(data, None, port, services={"grace_seconds": 60})
        try:
            yield server
        finally:
            server.stop()


def squat(port):
    """A server of files, which may have somebody else's port."""
    command = ["/usr/bin/python3", "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return process
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"nothing listens on port {port}")


@contextlib.contextmanager
def squatting(port):
    """The same, for as long as a block lasts, if nobody ends it before."""
    squatter = squat(port)
    try:
        yield squatter
    finally:
        squatter.poll() is None and squatter.kill()
        squatter.wait()


@contextlib.contextmanager
def trickle(size=400 << 20, speed=8 << 20):
    """The address of a file that comes slowly, so that it is still on its way when something is done about it."""
    piece = 1 << 18

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(size))
            self.end_headers()
            with contextlib.suppress(OSError):
                for _ in range(size // piece):
                    self.wfile.write(bytes(piece))
                    time.sleep(piece / speed)

        def log_message(self, *_):
            pass

    files = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=files.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{files.server_address[1]}/file.bin"
    finally:
        files.shutdown()
        files.server_close()


class Page:
    """A page whose console errors, and requests to elsewhere, are failures."""

    def __init__(self, browser, url, **options):
        self.context = browser.new_context(**options)
        self.context.set_default_timeout(1000 * PATIENCE)
        self.page = self.context.new_page()
        self.url = folder.shown(PAGE_DIR, url) if PAGE_DIR else url
        self.errors = []
        self.strangers = []
        self.tolerated = ()
        self.page.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.context.on("request", self._see)

    def _see(self, request):
        if not request.url.startswith((self.url, "data:")):
            self.strangers.append(request.url)

    def open(self, view="operations"):
        self.page.goto(f"{self.url}/#/{view}")
        return self.page

    def close(self):
        unexpected = [e for e in self.errors if not any(t in e for t in self.tolerated)]
        # What a test answers in the server's place may be on its way: it would fail in the midst of the next test.
        for page in self.context.pages:
            page.unroute_all(behavior="ignoreErrors")
        assert not unexpected, f"console errors: {unexpected}"
        assert not self.strangers, f"requests to elsewhere: {self.strangers}"
        self.context.close()


def until(page, condition, wanted):
    """Waits for what the page itself can't be asked for, such as a request of its that a test holds; `wanted` names it, should it not come."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"{wanted}: it has not come"
        page.wait_for_timeout(50)


def until_none(page, find):
    """Looks again and again until a look finds nothing wrong: a page is drawn anew some time after it was told to be. What stays wrong fails."""
    deadline = time.monotonic() + PATIENCE
    while wrong := find():
        assert time.monotonic() < deadline, wrong
        page.wait_for_timeout(100)


def until_quiet(page, list, time):
    """Waits until nothing is added to a list for so many ms."""

    def is_quiet():
        before = len(list)
        page.wait_for_timeout(time)
        return len(list) == before

    until(page, is_quiet, f"{time} ms without anything")


def without_timer(view, interval):
    """Takes from a page what it does after so many ms: then nothing but what a test does moves it."""
    view.page.add_init_script(
        """for (const name of ['setTimeout', 'setInterval']) {
            const begin = globalThis[name];
            globalThis[name] = (work, time, ...more) => (time === %d ? 0 : begin(work, time, ...more));
        }"""
        % interval
    )


def without_haste(view):
    """Has a page wait for an answer as long as that takes: where nothing but a test moves it, nothing would ask again."""
    view.page.add_init_script("AbortSignal.timeout = () => new AbortController().signal")


def keep_ended(view):
    """Has the cards of what has ended stay until `let_ended_go`: a test that is kept waiting itself would come too late to see them."""
    view.context.add_init_script(
        """{ const begin = globalThis.setTimeout; const kept = [];
            globalThis.setTimeout = (work, time, ...more) => (time === 8000 || time === 30_000 ? kept.push(work) : begin(work, time, ...more));
            globalThis.letEndedGo = () => { for (const work of kept.splice(0)) work(); }; }"""
    )


def let_ended_go(page):
    page.evaluate("letEndedGo()")


def listen(page):
    """Keeps all that is read out from now on; `hear` waits for it, however soon something else has taken its place."""
    page.evaluate(
        """() => { window.announced = [];
            const announcer = document.getElementById('announcer');
            new MutationObserver(() => window.announced.push(announcer.textContent)).observe(announcer, { childList: true, characterData: true, subtree: true }); }"""
    )


def hear(page, text):
    page.wait_for_function("text => window.announced.some((told) => told.includes(text))", arg=text)


def without_worker(view):
    """Has a page ask for the stream itself: requests of a worker can't be answered in the server's place."""
    view.page.add_init_script("delete globalThis.SharedWorker")


SCRIPTED = """retry: 60000
event: snapshot
data: %s

"""


def scripted(view, operations):
    """Shows operations that the server hasn't got, by a stream of the test's own; they may change while they are shown."""
    without_worker(view)
    content = lambda: json.dumps({"operations": operations})
    view.page.route("**/operations/stream", lambda route: route.fulfill(status=200, content_type="text/event-stream", body=SCRIPTED % content()))
    view.page.route("**/api/ports/operations", lambda route: route.fulfill(status=200, content_type="application/json", body=content()))
    return view.open()


def read_on(page, rows, count):
    """Scrolls down until a list that goes on has so many rows at least: what is turned while more is on its way moves nothing."""

    def turn():
        rows.last.scroll_into_view_if_needed()
        page.mouse.wheel(0, 100_000)
        return rows.count() >= count

    until(page, turn, f"{count} rows")


def card(page, name):
    return page.locator("article.card", has=page.get_by_role("heading", name=name, exact=True))


def tab_to(page, text):
    """Presses Tab until what has the focus says a text."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == text:
            return
    raise AssertionError(f"no way to “{text}” with the Tab key")


def shoot(page, name):
    if SCREENSHOTS:
        page.screenshot(path=f"{SCREENSHOTS}/{name}.png", full_page=True)


def check_accessibility(page, view):
    def find():
        told = [f"{v['id']}: {v['help']} ({v['nodes'][0]['target']})" for v in Axe().run(page).response["violations"]]
        return told and f"axe finds in {view}: {told}"

    until_none(page, find)
