"""Requests of a page that a test holds for as long as it wants."""

import contextlib

from playwright.sync_api import Error, expect
from support import Page, until, without_haste


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
    without_haste(view)
    return view


def settle(page):
    """Has what an answer may bring be there: what is to stay away can't be waited for."""
    page.wait_for_timeout(700)


def go(page, name):
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.locator("main h2")).to_have_text(name)
