"""Answers that come late: after the person has gone on, or after a newer one. What was asked for meanwhile is not lost without a word."""

import contextlib
import json
import os
import re
import signal
import tempfile

from liveness import with_stream
from playwright.sync_api import Error, expect
from support import PATIENCE, ROOT, Page, call, card, check_accessibility, configured, finish, free_port, serve, shoot, squat, start, until, without_timer


class Gate:
    """Holds requests of a page until they are let go."""

    def __init__(self, view, address):
        self.view, self.address, self.held, self.is_open = view, address, [], False
        view.page.route(address, lambda route: route.fallback() if self.is_open else self.held.append(route))

    def wait(self, count=1):
        until(self.view.page, lambda: len(self.held) >= count, f"request {count} for {self.address}")

    def open(self, **answer):
        """Lets go what was held, in that order, and all that comes. An answer is the test's own, to what was held; the page may have given that up."""
        self.is_open = True
        for route in self.held:
            with contextlib.suppress(Error):
                route.fulfill(**answer) if answer else route.continue_()


def patient(browser, url, **options):
    """A page that waits for answers as long as a test holds them."""
    view = Page(browser, url, **options)
    view.page.add_init_script("AbortSignal.timeout = () => new AbortController().signal")
    return view


def settle(page):
    """Has what an answer may bring be there: what is to stay away can't be waited for."""
    page.wait_for_timeout(700)


def go(page, name):
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.locator("main h2")).to_have_text(name)


@contextlib.contextmanager
def with_services(*services):
    with tempfile.TemporaryDirectory() as data:
        with open(os.path.join(data, "services.json"), "w") as file:
            json.dump({"services": services}, file)
        server = serve(data, None)
        try:
            yield server
        finally:
            server.stop()


def the_priority_chosen_last_holds(browser, stand_in):
    """Of priorities chosen quickly the last one holds; one that was set elsewhere is shown also where the choice has the focus, and one that was refused is not."""
    with configured(stand_in, queue={"maximum_running": 1}) as server:
        view = patient(browser, server.url)
        view.tolerated = ("503",)
        page = view.open()
        pulls = [call(server, "POST", ROOT + "/run", {"operation_type": "pull_model", "request": {"model": model, "insecure": False}})["operation_id"] for model in ("larger", "keys")]
        told = lambda: call(server, "GET", f"{ROOT}/{pulls[1]}")["priority"]
        choice = card(page, "Pull keys").get_by_label("Priority")
        choice.focus()
        gate = Gate(view, "**/priority")
        choice.select_option("urgent")
        gate.wait()
        choice.select_option("high")
        choice.select_option("low")
        settle(page)
        assert len(gate.held) == 1, "two are set at once, and either may come last"
        gate.open()
        until(page, lambda: told() == "low", "the last priority")
        expect(choice).to_have_value("low")
        call(server, "POST", f"{ROOT}/{pulls[1]}/priority", {"priority": "high"})
        expect(choice).to_have_value("high")
        page.route("**/priority", lambda route: route.fulfill(status=503, content_type="application/json", body='{"detail": "It is busy."}'))
        choice.select_option("urgent")
        expect(page.get_by_role("alert")).to_contain_text("It is busy.")
        expect(choice).to_have_value("high")
        for pull in pulls:
            call(server, "POST", f"{ROOT}/{pull}/cancel")
        view.close()


def what_is_asked_of_work_is_asked_once(browser, server):
    """A pause that is on its way shows it and is not asked for again; what was refused can be."""
    identity = start(server, "Slow to hear", "seed")
    view = patient(browser, server.url)
    view.tolerated = ("503",)
    page = view.open()
    shown = card(page, "Slow to hear")
    pause = shown.get_by_role("button", name="Pause")
    gate = Gate(view, f"**/{identity}/pause")
    pause.click()
    gate.wait()
    expect(pause).to_have_attribute("aria-disabled", "true")
    shoot(page, "pause-on-its-way")
    pause.press("Enter")
    pause.dispatch_event("click")
    settle(page)
    assert len(gate.held) == 1, f"it was asked for {len(gate.held)} times"
    gate.open(status=503, content_type="application/json", body='{"detail": "It is busy."}')
    expect(page.get_by_role("alert")).to_contain_text("It is busy.")
    expect(pause).not_to_have_attribute("aria-disabled", "true")
    pause.click()
    expect(shown.locator(".status")).to_have_text("pausing")
    gate = Gate(view, f"**/{identity}/cancel")
    shown.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel it").click()
    gate.wait()
    shown.get_by_role("button", name="Cancel").dispatch_event("click")
    expect(page.get_by_role("dialog")).to_have_count(0)
    gate.open()
    expect(shown.locator(".status")).to_have_text("cancelling")
    finish(server, identity)
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
