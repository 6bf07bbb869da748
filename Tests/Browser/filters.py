"""The history as it is filtered, while things go on."""

import re

from held import Gate, go, patient, settle
from playwright.sync_api import expect
from support import ROOT, Page, call, configured, finish, read_on, start, until, without_haste, without_timer


HOLD_REQUESTS = """() => { const ask = window.fetch; const held = [];
    window.fetch = async (...request) => { await new Promise((go) => held.push(go)); return ask(...request); };
    window.letGo = () => { window.fetch = ask; for (const go of held) go(); }; }"""


def filters_changed_quickly_tell_nothing_twice(browser, stand_in):
    """Answers that come after the filter has been changed to and fro are dropped; types are chosen by the words shown."""
    with configured(stand_in) as server:
        for kind in ("pull_model", "seed", "seed"):
            finish(server, start(server, f"Some {kind}", kind))
        view = Page(browser, server.url)
        # Now and then it looks for what is new all the same.
        without_timer(view, 10_000)
        without_haste(view)
        page = view.open("history")
        rows = page.locator("table.history tbody tr")
        expect(rows).to_have_count(3)
        page.evaluate(HOLD_REQUESTS)
        status = page.get_by_role("combobox", name="Status")
        for choice in ("completed", "", "completed", ""):
            status.select_option(choice)
        page.evaluate("letGo()")
        expect(rows).to_have_count(3)
        page.wait_for_timeout(500)
        expect(rows).to_have_count(3)
        page.get_by_role("combobox", name="Type").select_option(label="pull model")
        expect(rows).to_have_count(1)
        expect(rows).to_contain_text("Some pull_model")
        page.get_by_role("combobox", name="Type").select_option(label="all")
        text = page.get_by_role("searchbox", name="Text")
        text.fill("pull")
        page.keyboard.press("Enter")
        expect(rows).to_have_count(1)
        # As its own cross does.
        text.fill("")
        expect(rows).to_have_count(3)
        view.close()


def a_filter_holds_once_it_is_submitted(browser, stand_in):
    """What is still being typed filters nothing, neither the pages that follow nor what comes in on top; Enter makes it hold."""
    with configured(stand_in) as server:
        for number in range(60):
            finish(server, start(server, f"Load {number}", "seed"))
        view = Page(browser, server.url)
        page = view.open("history")
        rows = page.locator("table.history tbody tr")
        expect(rows).to_have_count(50)
        text = page.get_by_role("searchbox", name="Text")
        text.fill("Load 7")
        expect(text).to_be_focused()
        read_on(page, rows, 60)
        finish(server, start(server, "Another", "seed"))
        expect(rows.get_by_role("button")).to_have_text(["Another", *(f"Load {number}" for number in reversed(range(60)))])
        text.press("Enter")
        expect(rows.get_by_role("button")).to_have_text(["Load 7"])
        # What holds already is not asked for again when its field is left, or the row that is pressed would be gone.
        text.press("Control+a")
        text.press("Delete")
        expect(rows).to_have_count(50)
        rows.nth(3).get_by_role("button").click()
        expect(page.get_by_role("dialog").get_by_role("heading", level=2)).to_have_text("Load 57")
        view.close()


def a_date_can_be_typed(browser, stand_in):
    """A date that is there can be typed over, one digit after the other; one that is half typed keeps nothing from being shown."""
    with configured(stand_in) as server:
        finish(server, start(server, "The first", "seed"))
        view = Page(browser, server.url, locale="en-US")
        # Now and then it looks for what is new all the same.
        without_timer(view, 10_000)
        page = view.open("history")
        names = page.locator("table.history tbody tr button")
        since = page.get_by_label("Since")
        expect(names).to_have_text(["The first"])
        since.fill("2001-02-03T04:05")

        def type_year():
            since.blur()
            since.focus()
            for key in ("Tab", "Tab", *"2000"):
                page.keyboard.press(key)
            return since.input_value() == "2000-02-03T04:05"

        # Digits that come too slowly, on a busy machine, are none of one number.
        with page.expect_request(re.compile("since=(1999|2000)-")):
            until(page, type_year, "another year")
        expect(names).to_have_text(["The first"])
        page.keyboard.press("Delete")
        assert since.evaluate("field => field.validity.badInput")
        go(page, "Machine")
        finish(server, start(server, "The second", "seed"))
        settle(page)
        go(page, "History")
        expect(names).to_have_text(["The second", "The first"])
        view.close()


def what_is_no_more_like_the_filter_goes(browser, stand_in):
    """Of the runs that run, one that has paused or ended is none any more; the focus goes on to the next."""
    with configured(stand_in) as server:
        ids = [start(server, f"Run {number}", "seed") for number in range(3)]
        view = patient(browser, server.url)
        page = view.open("history")
        rows = page.locator("table.history tbody tr")
        expect(page.locator("#liveness")).to_have_attribute("data-state", "live")
        page.get_by_role("combobox", name="Status").select_option("in_progress")
        expect(rows).to_have_count(3)
        page.get_by_role("button", name="Run 1", exact=True).focus()
        finish(server, ids[1])
        expect(rows.get_by_role("button")).to_have_text(["Run 2", "Run 0"])
        expect(page.get_by_role("button", name="Run 0", exact=True)).to_be_focused()
        expect(page.get_by_text("2 shown", exact=True)).to_be_visible()
        finish(server, ids[0]), finish(server, ids[2])
        expect(rows).to_have_count(0)
        expect(page.get_by_role("region", name="What has run")).to_be_focused()
        expect(page.get_by_text("Nothing that ran is like that.")).to_be_visible()
        finish(server, start(server, "Over", "seed"))
        identity = start(server, "Another", "seed")
        expect(rows).to_have_count(1)
        # It has come by itself, which is not read out.
        expect(page.locator("section > p[role=status]")).to_have_attribute("aria-live", "off")
        finish(server, identity)
        expect(rows).to_have_count(0)
        view.close()


def what_was_like_the_filter_when_it_was_asked_for_does_not_come(browser, stand_in):
    """A run that pauses while an answer with it is on its way does not come into those that run."""
    with configured(stand_in) as server:
        first = start(server, "First", "seed")
        view = patient(browser, server.url)
        page = view.open("history")
        names = page.locator("table.history tbody tr button")
        expect(page.locator("#liveness")).to_have_attribute("data-state", "live")
        page.get_by_role("combobox", name="Status").select_option("in_progress")
        expect(names).to_have_text(["First"])
        gate = Gate(view, re.compile(r"/history\?.*limit=50$"))
        paused = start(server, "Paused meanwhile", "seed")
        gate.wait()
        answers = []
        until(page, lambda: answers.append(gate.held[0].fetch()) or "Paused meanwhile" in answers[-1].text(), "an answer with it")
        call(server, "POST", f"{ROOT}/{paused}/update", {"status": "paused"})
        # What is told in turn after it has been told.
        call(server, "POST", f"{ROOT}/{first}/pause")
        expect(page.locator("table.history tbody .status")).to_have_text(["pausing"])
        gate.open(response=answers[-1])
        start(server, "Last", "seed")
        expect(names).to_have_text(["Last", "First"])
        view.close()
