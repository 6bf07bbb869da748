"""Whether the page is live, what it says when it isn't, and what it does then."""

import json
import signal

from playwright.sync_api import expect
from support import ROOT, Page, call, card, configured, finish, hear, keep_ended, let_ended_go, listen, serve, start, until, without_haste, without_timer, without_worker


def two_live_tabs(view):
    first = view.open()
    expect(first.locator("#liveness")).to_have_attribute("data-state", "live")
    other = view.context.new_page()
    other.goto(view.url)
    expect(other.locator("#liveness")).to_have_attribute("data-state", "live")
    return first, other


def two_tabs_share_one_stream(browser, stand_in):
    """Both tabs of a browser are live, by one connection."""
    with configured(stand_in) as server:
        view = Page(browser, server.url)
        keep_ended(view)
        page, other = two_live_tabs(view)
        # One that did not come at once was asked for again, and the server notices a little later that the first is done with.
        until(page, lambda: call(server, "GET", "/health")["streams"] == 1, "one stream for two tabs")
        identity = start(server, "Seen by both")
        for tab in (page, other):
            expect(card(tab, "Seen by both")).to_be_visible()
        finish(server, identity)
        for tab in (page, other):
            expect(card(tab, "Seen by both").locator(".status")).to_have_text("completed")
        view.close()


def the_first_of_two_tabs_is_closed(browser, stand_in):
    """The stream outlives the tab that it was opened for."""
    with configured(stand_in) as server:
        view = Page(browser, server.url)
        keep_ended(view)
        first, other = two_live_tabs(view)
        first.close()
        identity = start(server, "Seen by who is left")
        expect(card(other, "Seen by who is left")).to_be_visible()
        expect(other.locator("#liveness")).to_have_attribute("data-state", "live")
        finish(server, identity)
        expect(card(other, "Seen by who is left").locator(".status")).to_have_text("completed")
        view.close()


def a_stream_that_is_not_given_again_is_told(browser, stand_in):
    """Where a stream ends and no other is given, the page isn't called live: it asks, and is live again when there is one."""
    with configured(stand_in) as server:
        view = Page(browser, server.url)
        view.tolerated = ("503",)
        keep_ended(view)
        without_worker(view)
        gives = {"stream": "one that ends"}

        def answer(route):
            if gives["stream"] == "one that ends":
                gives["stream"] = "none"
                route.fulfill(status=200, content_type="text/event-stream", body='retry: 50\nevent: snapshot\ndata: {"operations": []}\n\n')
            elif gives["stream"] == "none":
                route.fulfill(status=503, content_type="application/json", body='{"detail": "Too many streams are open."}')
            else:
                route.continue_()

        view.page.route("**/operations/stream", answer)
        page = view.open()
        expect(page.locator("#liveness")).to_have_attribute("data-state", "polling")
        identity = start(server, "Meanwhile")
        expect(card(page, "Meanwhile")).to_be_visible()
        finish(server, identity)
        expect(card(page, "Meanwhile").locator(".status")).to_have_text("completed")
        expect(page.locator("#liveness")).to_have_attribute("data-state", "polling")
        gives["stream"] = "the server's"
        expect(page.locator("#liveness")).to_have_attribute("data-state", "live")
        view.close()


def with_stream(view, begin):
    """Has a page get a stream that does what a test says: at first as `begin` says, a script, and then by `page.evaluate("stream.…()")`."""
    without_worker(view)
    view.page.add_init_script(
        """globalThis.EventSource = class extends EventTarget {
            static CONNECTING = 0; static OPEN = 1; static CLOSED = 2;
            readyState = 0;
            constructor() {
                super();
                globalThis.stream = this;
                setTimeout(() => { %s });
            }
            open() { this.readyState = 1; this.onopen?.(); }
            tellWhatRuns() { fetch('/api/ports/operations').then((answer) => answer.text()).then((data) => this.dispatchEvent(new MessageEvent('snapshot', { data }))); }
            breakOff() { this.readyState = 0; this.onerror?.(); }
            close() { this.readyState = 2; }
        }"""
        % begin
    )


def a_stream_that_says_nothing_is_done_without(browser, server):
    """Where a stream is neither given nor refused, or given without a word, the page asks, and says so."""
    identity = start(server, "Without a stream")
    for is_given in (False, True):
        held = []
        view = Page(browser, server.url)
        view.tolerated = ("ERR_",)
        if is_given:
            with_stream(view, "this.open()")
        else:
            without_worker(view)
        view.page.route("**/operations/stream", lambda route: held.append(route))
        page = view.open()
        expect(card(page, "Without a stream")).to_be_visible()
        expect(page.locator("#liveness")).to_have_attribute("data-state", "polling")
        for route in held:
            route.abort()
        view.close()
    finish(server, identity)


def a_stream_that_is_taken_up_again_is_live(browser, stand_in):
    """A stream that breaks off and goes on where it was is live, though it has nothing new to say."""
    with configured(stand_in) as server:
        view = Page(browser, server.url)
        with_stream(view, "this.open(); this.tellWhatRuns()")
        # It asks once, and not for another stream.
        without_timer(view, 2000)
        without_haste(view)
        page = view.open()
        liveness = page.locator("#liveness")
        expect(liveness).to_have_attribute("data-state", "live")
        page.evaluate("stream.breakOff()")
        expect(liveness).to_have_attribute("data-state", "polling")
        page.evaluate("stream.open()")
        expect(liveness).to_have_attribute("data-state", "live")
        page.wait_for_timeout(3000)
        expect(liveness).to_have_attribute("data-state", "live")
        view.close()


def a_stream_that_has_gone_dumb_is_found_out(browser, stand_in):
    """A stream that says nothing while things happen isn't live, though the server answers all else; one that says nothing while nothing does, is."""
    with configured(stand_in) as server:
        view = Page(browser, server.url)
        keep_ended(view)
        with_stream(view, "this.open(); this.tellWhatRuns()")
        page = view.open()
        liveness = page.locator("#liveness")
        expect(liveness).to_have_attribute("data-state", "live")
        page.wait_for_timeout(17_000)
        expect(liveness).to_have_attribute("data-state", "live")
        identity = start(server, "Unheard of")
        expect(card(page, "Unheard of")).to_be_visible()
        expect(liveness).to_have_attribute("data-state", "live")
        # Nor does it hide an ending.
        finish(server, identity)
        expect(card(page, "Unheard of")).to_have_attribute("data-status", "completed")
        view.close()


def a_server_that_stands_still_is_told(browser, stand_in):
    """A stream that neither speaks nor ends, as when a machine sleeps, is found out, and taken up again; meanwhile nothing is told that nobody knows."""
    with configured(stand_in) as server:
        identity = start(server, "Under way")
        call(server, "POST", f"{ROOT}/{identity}/update", {"progress": 20, "resource_impact": {"cpu_percent": 3, "network_mbps": 80}})
        view = Page(browser, server.url)
        page = view.open()
        expect(page.locator("#liveness")).to_have_attribute("data-state", "live")
        facts = [card(page, "Under way").locator(f".{name}") for name in ("cost", "speed")]
        for fact in facts:
            expect(fact).to_be_visible()
        expect(page.get_by_text("1 running, 9.5 MB/s", exact=True)).to_be_visible()
        server.process.send_signal(signal.SIGSTOP)
        try:
            expect(page.locator("#liveness")).to_have_attribute("data-state", "offline", timeout=90_000)
            expect(page.get_by_text("1 running when last heard of", exact=True)).to_be_visible()
            for fact in facts:
                expect(fact).to_be_hidden()
            expect(card(page, "Under way").locator(".percent")).to_have_text("20 %")
        finally:
            server.process.send_signal(signal.SIGCONT)
        expect(page.locator("#liveness")).to_have_attribute("data-state", "live")
        for fact in facts:
            expect(fact).to_be_visible()
        view.close()


def a_worker_that_is_not_loaded_is_done_without(browser, server):
    """A tab that gets no worker to share has a stream of its own."""
    view = Page(browser, server.url)
    view.page.add_init_script(
        """globalThis.SharedWorker = class {
            port = { start() {}, close() {}, postMessage() {} };
            constructor() { setTimeout(() => this.onerror(new Event('error'))); }
        }"""
    )
    expect(view.open().locator("#liveness")).to_have_attribute("data-state", "live")
    view.close()


def what_was_told_before_is_told_anew(browser, server):
    """That the history can't be written is said until it can, and where there is no stream it is asked for."""
    view = Page(browser, server.url)
    view.tolerated = ("503",)
    without_worker(view)
    health = {"status": "degraded", "reason": "The disk is full."}
    fine = {"status": "ok", "reason": None}
    calm = {"overloaded": False, "message": "", "reasons": []}
    streams = [{"operations": [], "overload": calm, "history_health": state} for state in (health, fine)]

    def stream(route):
        # Each snapshot is told, and the stream lost at once; the browser comes back for the next.
        snapshot = json.dumps(streams.pop(0) if len(streams) > 1 else streams[0])
        route.fulfill(status=200, content_type="text/event-stream", body=f"retry: 4000\nevent: snapshot\ndata: {snapshot}\n\n")

    view.page.route("**/operations/stream", stream)
    view.page.route("**/health", lambda route: route.fulfill(status=200, content_type="application/json", body=json.dumps(health)))
    page = view.open()
    expect(page.get_by_role("alert")).to_have_text("The history can’t be written: The disk is full.")
    view.page.unroute("**/health")
    expect(page.get_by_role("alert")).to_have_count(0)
    # It takes the place of the other: between the two the page could be given a stream of the server's, and would ask no more.
    view.page.route("**/operations/stream", lambda route: route.fulfill(status=503, body=""))
    view.page.route("**/health", lambda route: route.fulfill(status=200, content_type="application/json", body=json.dumps(health)))
    expect(page.get_by_role("alert")).to_have_text("The history can’t be written: The disk is full.")
    view.close()


def without_streams_the_page_asks(browser, stand_in):
    """Where the server gives no stream, the page says so and asks every two seconds."""
    with configured(stand_in, limits={"streams": 0}) as server:
        view = Page(browser, server.url)
        view.tolerated = ("503", "429")
        keep_ended(view)
        page = view.open()
        expect(page.locator("#liveness")).to_have_attribute("data-state", "polling")
        identity = start(server, "Asked for")
        expect(card(page, "Asked for")).to_be_visible()
        finish(server, identity)
        expect(card(page, "Asked for").locator(".status")).to_have_text("completed")
        let_ended_go(page)
        expect(card(page, "Asked for")).to_have_count(0)
        view.close()


def server_restarts_under_the_page(browser, data, stand_in, server):
    """The page says that it isn't live, and finds the server again by itself."""
    view = Page(browser, server.url)
    view.tolerated = ("ERR_", "Failed to load resource")
    keep_ended(view)
    page = view.open()
    listen(page)
    expect(page.locator("#liveness")).to_have_attribute("data-state", "live")
    start(server, "Under way")
    expect(card(page, "Under way")).to_be_visible()
    port = int(server.url.rsplit(":", 1)[1])
    assert server.stop() == 0, "the server did not stop cleanly"
    expect(page.locator("#liveness")).to_have_attribute("data-state", "offline")
    page.get_by_role("link", name="Start").click()
    expect(page.get_by_role("alert")).to_contain_text("The server does not answer")
    hear(page, "Not live: the server does not answer")
    again = serve(data, stand_in, port)
    expect(page.locator("#liveness")).to_have_attribute("data-state", "live")
    hear(page, "Live")
    # A view that got no answer asks again.
    expect(page.get_by_role("heading", name="Pull a model")).to_be_visible()
    page.get_by_role("link", name="Running").click()
    expect(card(page, "Under way").locator(".status")).to_have_text("failed")
    identity = start(again, "After the restart")
    expect(card(page, "After the restart")).to_be_visible()
    finish(again, identity)
    view.close()
    return again
