"""Who gets in, and what is said to who doesn't."""

import contextlib
import json
import os
import tempfile

from playwright.sync_api import expect
from support import ROOT, Page, call, card, check_accessibility, serve, shoot


@contextlib.contextmanager
def guarded(stand_in):
    """A server that asks everyone for its token."""
    with tempfile.TemporaryDirectory() as data:
        token_file = os.path.join(data, "token")
        server = serve(data, stand_in, None, "--token-file", token_file, trust_local_user=False)
        try:
            with open(token_file) as file:
                yield server, file.read().strip()
        finally:
            server.stop()


def token_is_asked_for(browser, stand_in):
    """A wrong token is refused, the right one traded for a session."""
    with guarded(stand_in) as (server, token):
        view = Page(browser, server.url)
        view.tolerated = ("401",)
        page = view.open()
        field = page.get_by_label("Token", exact=True)
        field.fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("dialog")).to_contain_text("not this server’s token")
        expect(field).to_have_value("")
        field.fill("€")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("dialog")).to_contain_text("letters, digits and signs of ASCII only")
        field.fill(f"  {token} ")
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("#liveness")).to_have_attribute("data-state", "live")
        assert token not in page.evaluate("document.cookie"), "the page can read the session's cookie"
        view.close()


def a_token_that_was_not_checked_is_not_called_wrong(browser, stand_in):
    """A server that is busy, or gone, says nothing about the token: that is told, and the token kept for another try."""
    with guarded(stand_in) as (server, token):
        view = Page(browser, server.url)
        view.tolerated = ("401", "429", "503", "ERR_FAILED")
        page = view.open()
        field = page.get_by_label("Token", exact=True)
        field.fill(token)
        dialog = page.get_by_role("dialog")
        busy = lambda status, detail: lambda route: route.fulfill(status=status, content_type="application/json", body=json.dumps({"detail": detail}))
        for answer, told in (
            (busy(429, "Too many tries: wait a minute."), "Too many tries: wait a minute."),
            (busy(503, "The server is stopping."), "The server is stopping."),
            (lambda route: route.abort(), "The server does not answer."),
        ):
            page.route("**/api/session", answer)
            page.get_by_role("button", name="Sign in").click()
            expect(dialog).to_contain_text(told)
            expect(dialog).not_to_contain_text("not this server’s token")
            expect(field).to_have_value(token)
            page.unroute("**/api/session")
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("#liveness")).to_have_attribute("data-state", "live")
        view.close()


def who_gives_no_token_may_do_so_later(browser, stand_in):
    """A page without a token says that it shows nothing, doesn't ask over and over, and lets its reader sign in later."""
    with guarded(stand_in) as (server, token):
        call(server, "POST", ROOT + "/start", {"operation_type": "install", "description": "Behind the door"}, token)
        view = Page(browser, server.url)
        view.tolerated = ("401",)
        page = view.open()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name="Back").click()
        access = page.get_by_role("region", name="Access")
        expect(access).to_contain_text("without the server’s token")
        expect(page.get_by_text("Nothing runs")).to_be_hidden()
        check_accessibility(page, "a page without a token")
        shoot(page, "no-token")
        page.get_by_role("link", name="Machine").click()
        # It asks for its figures every two seconds.
        with page.expect_response(lambda answer: "/resources" in answer.url and answer.status == 401):
            pass
        expect(dialog).to_have_count(0)
        other = view.context.new_page()
        other.goto(view.url)
        expect(other.get_by_role("dialog")).to_be_visible()
        access.get_by_role("button").click()
        expect(dialog).to_be_visible()
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        expect(access.get_by_role("button")).to_be_focused()
        page.keyboard.press("Enter")
        expect(dialog).to_be_visible()
        # However soon it is asked for again: within the task that closed it, before any event of its.
        page.evaluate("""async () => {
            document.querySelector('dialog').close();
            for (let turn = 0; turn < 100; turn += 1) await null;
            document.querySelector('#access button').click();
        }""")
        expect(dialog).to_be_visible()
        page.get_by_label("Token", exact=True).fill(token)
        page.get_by_role("button", name="Sign in").click()
        expect(access).to_be_hidden()
        expect(page.locator("figure.plot").first).to_be_visible()
        # What one tab may, all may.
        expect(other.get_by_role("dialog")).to_have_count(0)
        expect(card(other, "Behind the door")).to_be_visible()
        other.close()
        page.get_by_role("link", name="Running").click()
        expect(card(page, "Behind the door")).to_be_visible()
        view.close()


def a_server_that_asks_no_more_is_noticed(browser, stand_in):
    """A page that was kept out goes on by itself when the server begins anew and asks for no token; until then it complains of nothing."""
    with tempfile.TemporaryDirectory() as data:
        server = serve(data, stand_in, None, "--token-file", os.path.join(data, "token"), trust_local_user=False)
        try:
            view = Page(browser, server.url)
            view.tolerated = ("401", "ERR_", "Failed to load resource")
            page = view.open()
            page.get_by_role("dialog").get_by_role("button", name="Back").click()
            for name in ("Start", "Ports", "History", "Events"):
                page.get_by_role("link", name=name).click()
            page.wait_for_timeout(500)
            expect(page.get_by_role("alert")).to_have_count(0)
            port = int(server.url.rsplit(":", 1)[1])
            server.stop()
            # Whether it is away for long or not.
            expect(page.locator("#liveness")).to_have_attribute("data-state", "offline")
            server = serve(data, stand_in, port)
            expect(page.locator("#liveness")).to_have_attribute("data-state", "live", timeout=90_000)
            expect(page.get_by_role("region", name="Access")).to_be_hidden()
            view.close()
        finally:
            server.stop()
