"""What has run: found again, filtered, and told in full."""

import json
import re
import tempfile
import urllib.parse

from playwright.sync_api import expect
from support import ROOT, Page, call, configured, finish, read_on, serve, start


def the_history_goes_on_and_is_filtered(browser, stand_in):
    """More of the history comes with scrolling; filters leave what they ask for; events come while they are looked at."""
    with configured(stand_in) as server:
        for number in range(120):
            finish(server, start(server, f"Load {number}", "seed"), **({"error": "No."} if number % 40 == 0 else {}))
        running = start(server, "Still running", "seed")
        view = Page(browser, server.url)
        page = view.open("history")
        rows = page.locator("table.history tbody tr")
        expect(rows).to_have_count(50)
        expect(rows.filter(has_text="Still running").locator(".status")).to_have_text("running")
        finish(server, running)
        expect(rows.filter(has_text="Still running").locator(".status")).to_have_text("completed")
        for count in (100, 121):
            read_on(page, rows, count)
        # A page leaves nothing out and tells nothing twice.
        expect(rows.get_by_role("button")).to_have_text(["Still running", *(f"Load {number}" for number in reversed(range(120)))])
        page.get_by_role("combobox", name="Status").select_option("failed")
        expect(rows).to_have_count(3)
        page.get_by_role("searchbox", name="Text").fill("Load 80")
        page.keyboard.press("Enter")
        expect(rows).to_have_count(1)
        page.locator("figure", has_text="Success share").get_by_text("As a table").click()
        expect(page.locator("figure", has_text="Success share").get_by_role("table")).to_be_visible()
        page.get_by_role("link", name="Events").click()
        events = page.locator("table tbody tr")
        expect(events.first).to_contain_text("completed")
        identity = start(server, "Seen as it begins")
        expect(events.first).to_contain_text("Seen as it begins")
        events.first.get_by_role("button", name=identity).click()
        expect(page.get_by_role("dialog")).to_contain_text("Seen as it begins")
        view.close()


def an_old_run_has_its_log(browser, stand_in):
    """The details of a run tell what happened to it, however much has happened since."""
    with configured(stand_in) as server:
        for number in range(502):
            finish(server, start(server, f"Load {number}", "seed"))
        view = Page(browser, server.url)
        page = view.open("history")
        page.get_by_role("searchbox", name="Text").fill("Load 0")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Load 0", exact=True).click()
        entries = page.get_by_role("dialog").locator("ol.log li")
        expect(entries).to_have_count(2)
        expect(entries.first).to_contain_text("started")
        expect(entries.last).to_contain_text("completed")
        view.close()


def what_nobody_measured_is_not_told(browser, stand_in):
    """How long something takes is told once it has ended, and of what was interrupted, when nobody knows the end, not at all."""
    with tempfile.TemporaryDirectory() as data:
        server = serve(data, stand_in)
        try:
            start(server, "Cut off", "seed")
            finish(server, start(server, "Ended", "seed"))
            view = Page(browser, server.url)
            view.tolerated = ("ERR_", "Failed to load resource")
            page = view.open("history")
            row = lambda name: page.locator("table.history tbody tr", has_text=name)
            expect(row("Ended").locator(".number").first).to_have_text(re.compile("s$"))
            expect(row("Cut off").locator(".status")).to_have_text("running")
            expect(row("Cut off").locator(".number").first).to_have_text("")
            page.get_by_role("button", name="Cut off").click()
            expect(page.get_by_role("dialog").locator("dl")).to_contain_text("So far")
            page.get_by_role("button", name="Close").click()
            server.process.kill()
            server.process.wait()
            server = serve(data, stand_in, int(server.url.rsplit(":", 1)[1]))
            expect(row("Cut off").locator(".status")).to_have_text("failed")
            expect(row("Cut off").locator(".number").first).to_have_text("")
            page.get_by_role("button", name="Cut off").click()
            expect(page.get_by_role("dialog").locator("dl")).to_contain_text("interrupted")
            expect(page.get_by_role("dialog").locator("dl")).not_to_contain_text("Took")
            view.close()
        finally:
            server.stop()


def a_history_that_is_looked_at_goes_on(browser, stand_in):
    """What begins and ends while the history is looked at comes in on top, also what is over at once, and is counted."""
    with configured(stand_in) as server:
        finish(server, start(server, "The first", "seed"))
        view = Page(browser, server.url)
        page = view.open("history")
        rows = page.locator("table.history tbody tr")
        expect(rows).to_have_count(1)
        identity = start(server, "The second", "seed")
        expect(rows.first).to_contain_text("The second")
        expect(rows.first.locator(".status")).to_have_text("running")
        finish(server, identity)
        expect(rows.first.locator(".status")).to_have_text("completed")
        finish(server, start(server, "The third", "seed"), error="No.")
        expect(rows).to_have_count(3)
        expect(rows.first).to_contain_text("The third")
        expect(page.get_by_role("status").filter(has_text="3 shown")).to_be_visible()
        expect(page.get_by_role("region", name="How often and how long").get_by_role("row").last.get_by_role("cell").nth(1)).to_have_text("1")
        view.close()


def a_wish_is_told_before_it_is_followed(browser, stand_in):
    """What is asked to pause, wait or stop says so in the history, too, which isn't written for a wish alone; a page that comes later tells the same."""
    with configured(stand_in) as server:
        identity = start(server, "Hesitates", "seed")
        view = Page(browser, server.url)
        page = view.open("history")
        status = lambda tab: expect(tab.locator("table.history tbody tr", has_text="Hesitates").locator(".status"))
        status(page).to_have_text("running")
        for wish, told in (("pause", "pausing"), ("resume", "running"), ("cancel", "cancelling")):
            call(server, "POST", f"{ROOT}/{identity}/{wish}")
            status(page).to_have_text(told)
        other = view.context.new_page()
        other.goto(f"{view.url}/#/history")
        status(other).to_have_text("cancelling")
        finish(server, identity)
        for tab in (page, other):
            status(tab).to_have_text(re.compile("^(completed|cancelled)$"))
        view.close()


def a_history_that_does_not_come_is_asked_for_again(browser, stand_in):
    """Without an answer the page claims nothing, and goes on when it is told to; what can't be a date is not asked for."""
    with configured(stand_in) as server:
        finish(server, start(server, "Kept", "seed"))
        view = Page(browser, server.url)
        view.tolerated = ("503",)
        page = view.open("history")
        rows = page.locator("table.history tbody tr")
        expect(rows).to_have_count(1)
        page.route("**/operations/history?*", lambda route: route.fulfill(status=503, content_type="application/json", body='{"detail": "It is busy."}'))
        page.get_by_role("combobox", name="Status").select_option("completed")
        again = page.get_by_role("button", name="Try again")
        expect(again).to_be_visible()
        expect(page.get_by_role("status").filter(has_text="could not be asked for")).to_be_visible()
        expect(page.get_by_text("1 shown")).to_have_count(0)
        page.unroute("**/operations/history?*")
        again.click()
        expect(rows).to_have_count(1)
        expect(again).to_be_hidden()
        since = page.get_by_label("Since")
        since.evaluate("field => { field.value = '20266-12-31T00:00'; field.dispatchEvent(new Event('change', { bubbles: true })); }")
        assert since.evaluate("field => !field.validity.valid")
        page.wait_for_timeout(500)
        expect(rows).to_have_count(1)
        view.close()


# What is looked at a second later is looked at at once.
IN_A_HURRY = "{ const later = setTimeout; globalThis.setTimeout = (work, time, ...more) => later(work, time >= 1000 ? 20 : time, ...more); }"


def a_history_left_open_stays_small(browser, stand_in):
    """While more and more comes in on top, the oldest rows go; they come again with scrolling, and stay while they are read."""
    with configured(stand_in) as server:
        like = call(server, "GET", f"{ROOT}/{finish(server, start(server, 'Like this', 'seed'))}")
        runs = []

        def grow(count):
            for number in range(len(runs), len(runs) + count):
                created = f"2026-01-01T00:{number // 60:02}:{number % 60:02}.000Z"
                runs.insert(0, {**like, "operation_id": f"op_{number}", "description": f"Run {number}", "created_at": created})

        def answer(route):
            query = urllib.parse.parse_qs(urllib.parse.urlparse(route.request.url).query)
            if "status" in query:
                return route.continue_()
            begin = len(runs) - int(query.get("cursor", [len(runs)])[0])
            page = runs[begin : begin + 50]
            rest = len(runs) - begin - len(page)
            route.fulfill(status=200, content_type="application/json", body=json.dumps({"operations": page, "next_cursor": str(rest) if rest else None}))

        view = Page(browser, server.url)
        view.page.add_init_script(IN_A_HURRY)
        view.page.route("**/operations/history?*", answer)
        grow(60)
        page = view.open("history")
        rows = page.locator("table.history tbody tr")
        expect(rows).to_have_count(50)

        def step():
            grow(48)
            start(server, "A step")
            expect(rows.first).to_contain_text(f"Run {len(runs) - 1}")

        def read_all():
            while (before := rows.count()) < len(runs):
                read_on(page, rows, before + 1)
            expect(rows.get_by_role("button")).to_have_text([run["description"] for run in runs])

        for _ in range(20):
            step()
        assert rows.count() < 1000, f"{rows.count()} rows"
        read_all()
        step()
        assert rows.count() == len(runs), "what somebody reads was taken away"
        page.evaluate("scrollTo(0, 0)")
        page.wait_for_function("scrollY === 0")
        step()
        assert 500 <= rows.count() < 700, f"{rows.count()} rows"
        read_all()
        view.close()


def events_that_do_not_come_are_asked_for_again(browser, stand_in):
    """Where the first page of the log fails, a later look shows it, and what follows can be asked for all the same."""
    with configured(stand_in) as server:
        for number in range(60):
            finish(server, start(server, f"Load {number}", "seed"))
        view = Page(browser, server.url)
        view.tolerated = ("503",)
        refuse = lambda route: route.fulfill(status=503, content_type="application/json", body='{"detail": "It is busy."}')
        view.page.route("**/api/ports/events?*", refuse)
        page = view.open("events")
        rows = page.locator("tbody tr")
        expect(page.get_by_role("alert")).to_contain_text("It is busy.")
        expect(rows).to_have_count(0)
        page.unroute("**/api/ports/events?*")
        start(server, "The last", "seed")
        expect(rows).not_to_have_count(0)
        page.get_by_role("button", name="More").click()
        # A look may come before the last event is written: then the next brings it.
        expect(rows).to_have_count(121)
        view.close()


def another_server_has_another_history(browser, stand_in):
    """Where a server with other data takes the place of the first, nothing of the first is left standing."""
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        server = serve(first, stand_in)
        try:
            identity = finish(server, start(server, "Of the first", "seed"))
            view = Page(browser, server.url)
            view.tolerated = ("ERR_", "Failed to load resource")
            page = view.open("history")
            other = view.context.new_page()
            other.goto(f"{view.url}/#/events")
            expect(page.locator("table.history tbody tr")).to_contain_text("Of the first")
            expect(other.locator("tbody tr").first).to_contain_text(identity)
            port = int(server.url.rsplit(":", 1)[1])
            server.stop()
            server = serve(second, stand_in, port)
            later = finish(server, start(server, "Of the second", "seed"))
            expect(page.locator("table.history tbody tr")).to_have_text([re.compile("Of the second")])
            expect(other.locator("tbody tr").first).to_contain_text(later)
            expect(other.get_by_text(identity)).to_have_count(0)
            view.close()
        finally:
            server.stop()
