"""What the page complains of, and what becomes of that once the server is back."""

import contextlib
import re
import tempfile

from held import Gate, go, patient, settle
from playwright.sync_api import expect
from support import Page, card, configured, finish, serve, start, until


def a_complaint_goes_when_the_server_is_back(browser, stand_in):
    """That the server does not answer is not said any longer than it doesn't; what it refused to do is, until it is dismissed."""
    with tempfile.TemporaryDirectory() as data:
        server = serve(data, stand_in)
        try:
            identity = start(server, "Under way", "seed")
            view = patient(browser, server.url)
            view.tolerated = ("ERR_", "Failed to load resource")
            page = view.open()
            alert, liveness = page.get_by_role("alert"), page.locator("#liveness")
            expect(liveness).to_have_attribute("data-state", "live")
            port = int(server.url.rsplit(":", 1)[1])
            for is_done in (False, True):
                server.process.kill()
                server.process.wait()
                expect(liveness).to_have_attribute("data-state", "offline")
                if is_done:
                    page.evaluate("id => { import('/assets/dialog.js').then(({ attempt }) => import('/assets/api.js').then(({ post }) => attempt(() => post(`/api/ports/operations/${id}/pause`)))); }", identity)
                else:
                    go(page, "Events")
                expect(alert).to_contain_text("The server does not answer")
                server = serve(data, stand_in, port)
                expect(liveness).to_have_attribute("data-state", "live", timeout=90_000)
                if not is_done:
                    expect(alert).to_have_count(0)
                    expect(page.locator("table.events tbody tr").first).to_be_visible()
                    go(page, "Running")
            settle(page)
            expect(alert).to_contain_text("The server does not answer")
            view.close()
        finally:
            server.stop()


def a_complaint_goes_once_the_server_answers(browser, server):
    """That a server which stood still has not answered is not said any longer once it does, though its stream was there all the time."""
    finish(server, start(server, "Something", "seed"))
    view = Page(browser, server.url)
    view.page.add_init_script("{ const wait = AbortSignal.timeout.bind(AbortSignal); AbortSignal.timeout = (time) => wait(time / 10); }")
    page = view.open("machine")
    alert, liveness = page.get_by_role("alert"), page.locator("#liveness")
    expect(liveness).to_have_attribute("data-state", "live")
    gate = Gate(view, "**/api/ports/**")
    go(page, "Events")
    expect(alert).to_contain_text("The server has not answered within 10 s.")
    gate.open()
    expect(alert).to_have_count(0)
    expect(page.locator("table.events tbody tr").first).to_be_visible()
    expect(liveness).to_have_attribute("data-state", "live")
    view.close()


@contextlib.contextmanager
def unanswered(view, address):
    """Holds a page's requests while a block makes them, and has the page give them up then as if it had waited for too long."""
    gate = Gate(view, address)
    yield
    gate.wait()
    # It may be taken back at once.
    told = view.page.evaluate(
        """() => new Promise((tell) => {
            const find = () => { const complaint = document.querySelector('.complaint'); if (complaint) tell(complaint.textContent); };
            new MutationObserver(find).observe(document.body, { childList: true, subtree: true });
            giveUp();
        })"""
    )
    assert "The server has not answered within 10 s." in told, told
    gate.open()


def what_got_no_answer_is_asked_for_again(browser, stand_in):
    """What a server that stood still has not answered is there without another word once it answers: a view, what follows in it, and details."""
    with configured(stand_in) as server:
        for number in range(60):
            finish(server, start(server, f"Load {number}", "seed"))
        names = ("The one", "The other")
        for name in names:
            start(server, name, "seed")
        view = Page(browser, server.url)
        # Requests wait as long as the test wants, and what follows in a list comes by its button alone.
        view.page.add_init_script(
            """{ const waiting = [];
                const { observe } = IntersectionObserver.prototype;
                IntersectionObserver.prototype.observe = function (node) { if (node.localName !== 'button') observe.call(this, node); };
                AbortSignal.timeout = () => { waiting.push(new AbortController()); return waiting.at(-1).signal; };
                globalThis.giveUp = () => { for (const one of waiting.splice(0)) one.abort(new DOMException('', 'TimeoutError')); }; }"""
        )
        page = view.open("machine")
        alert, dialog = page.get_by_role("alert"), page.get_by_role("dialog")
        expect(page.locator("#liveness")).to_have_attribute("data-state", "live")

        with unanswered(view, "**/api/ports/providers"):
            go(page, "Start")
        expect(page.get_by_role("heading", name="Pull a model")).to_be_visible()
        expect(alert).to_have_count(0)

        go(page, "Events")
        rows = page.locator("table.stacked tbody tr")
        expect(rows).to_have_count(100)
        with unanswered(view, re.compile(r"/ports/events\?.*cursor=")):
            page.get_by_role("button", name="More", exact=True).click()
        expect(rows).to_have_count(122)
        # The button has gone: the focus is where reading goes on.
        expect(rows.nth(100).get_by_role("button")).to_be_focused()
        expect(alert).to_have_count(0)

        with unanswered(view, re.compile(r"/operations/history\?.*cursor=")):
            go(page, "History")
            expect(rows).to_have_count(50)
            page.get_by_role("button", name="More", exact=True).click()
        expect(rows).to_have_count(62)
        expect(rows.nth(50).get_by_role("button")).to_be_focused()
        expect(alert).to_have_count(0)
        expect(page.get_by_role("button", name="Try again")).to_be_hidden()

        go(page, "Running")
        press = lambda name: card(page, name).get_by_role("button", name=name, exact=True).click()
        for name in names:
            with unanswered(view, re.compile("/operations/op_")):
                press(name)
            expect(dialog.get_by_role("heading", level=2)).to_have_text(name)
            expect(alert).to_have_count(0)
            page.keyboard.press("Escape")
        # Whoever has asked for something else meanwhile gets that.
        elsewhere = Gate(view, "**/operations/history?*")
        with unanswered(view, re.compile("/operations/op_")):
            press("The one")
        press("The other")
        expect(dialog.get_by_role("heading", level=2)).to_have_text("The other")
        expect(alert).to_have_count(0)
        elsewhere.open()
        view.close()


def a_wish_that_is_not_answered_is_told(browser, server):
    """Where a server doesn't answer what is asked of an operation, that is said, and it can be asked again."""
    identity = start(server, "Unheard", "seed")
    view = Page(browser, server.url)
    view.page.add_init_script("{ const wait = AbortSignal.timeout.bind(AbortSignal); AbortSignal.timeout = (time) => wait(time / 20); }")
    page = view.open()
    pause = card(page, "Unheard").get_by_role("button", name="Pause")
    gate = Gate(view, f"**/{identity}/pause")
    for _ in range(2):
        pause.click()
        expect(page.get_by_role("alert")).to_contain_text("The server has not answered within 10 s.")
        expect(pause).not_to_have_attribute("aria-disabled", "true")
        page.get_by_role("alert").get_by_role("button", name="Dismiss").click()
    gate.wait(2)
    view.close()
    finish(server, identity)


def what_fails_alone_is_told_once(browser, server):
    """What fails while all else is answered is asked for again and again, complained of once, not after that was dismissed, and there once it can be had."""
    view = Page(browser, server.url)
    view.tolerated = ("ERR_", "Failed to load resource")
    page = view.open("machine")
    alert = page.get_by_role("alert").filter(has_text="The server does not answer")
    expect(page.locator("#liveness")).to_have_attribute("data-state", "live")
    page.evaluate("""() => {
        globalThis.told = 0;
        const isComplaint = (node) => node.classList?.contains('complaint');
        new MutationObserver((changes) => { for (const { addedNodes } of changes) told += [...addedNodes].filter(isComplaint).length; }).observe(document.body, { childList: true });
    }""")
    asked = []
    page.route("**/api/ports/providers", lambda route: asked.append(route) or route.abort())
    go(page, "Start")
    expect(alert).to_be_visible()
    until(page, lambda: len(asked) >= 4, "the fourth request")
    expect(alert).to_be_visible()
    alert.get_by_role("button", name="Dismiss").click()
    before = len(asked)
    until(page, lambda: len(asked) >= before + 2, "another request")
    settle(page)
    assert page.evaluate("told") == 1, f"it was complained of {page.evaluate('told')} times"
    page.unroute("**/api/ports/providers")
    expect(page.get_by_role("heading", name="Pull a model")).to_be_visible()
    expect(alert).to_have_count(0)
    view.close()
