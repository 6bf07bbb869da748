"""The details of one operation, as a dialog over any view."""

import json
import re

from held import Gate, go, patient, settle
from playwright.sync_api import expect
from support import ROOT, Page, call, card, check_accessibility, finish, shoot, start, until


def details_are_those_asked_for_last(browser, server):
    """Where details take their time, those of the name that was pressed last are shown; over another view none are."""
    ids = [start(server, name) for name in ("The one", "The other")]
    view = patient(browser, server.url)
    page = view.open()
    press = lambda name: card(page, name).get_by_role("button", name=name, exact=True).click()
    dialog = page.get_by_role("dialog")
    gate = Gate(view, re.compile("/operations/op_"))
    press("The one")
    gate.wait()
    press("The other")
    gate.wait(2)
    gate.open()
    expect(dialog.get_by_role("heading", level=2)).to_have_text("The other")
    page.keyboard.press("Escape")
    settle(page)
    expect(dialog).to_have_count(0)
    gate = Gate(view, re.compile("/operations/op_"))
    press("The one")
    gate.wait()
    go(page, "Machine")
    gate.open()
    settle(page)
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("alert")).to_have_count(0)
    go(page, "Running")
    # Nor over another question, nor once that is answered.
    for is_answered in (False, True):
        gate = Gate(view, re.compile("/operations/op_"))
        press("The one")
        gate.wait()
        card(page, "The other").get_by_role("button", name="Cancel").click()
        question = dialog.get_by_role("heading", name="Cancel “The other”?")
        expect(question).to_be_visible()
        if is_answered:
            page.keyboard.press("Escape")
            expect(dialog).to_have_count(0)
        gate.open()
        settle(page)
        expect(dialog).to_have_count(0 if is_answered else 1)
        if not is_answered:
            expect(question).to_be_visible()
            page.keyboard.press("Escape")
            expect(dialog).to_have_count(0)
    press("The one")
    expect(dialog.get_by_role("heading", level=2)).to_have_text("The one")
    view.close()
    for identity in ids:
        finish(server, identity)


def long_details_begin_at_their_beginning(browser, server):
    """Details that are longer than the screen are shown from their top, and can be scrolled by the keyboard."""
    identity = finish(server, start(server, "Went wrong at length", "seed"), error="\n".join(f"line {number}" for number in range(60)))
    for width in (1280, 390):
        view = patient(browser, server.url, viewport={"width": width, "height": 700})
        page = view.open("history")
        page.get_by_role("button", name="Went wrong at length").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("line 59")
        title = dialog.get_by_role("heading", name="Went wrong at length")
        expect(title).to_be_focused()
        expect(title).to_be_in_viewport()
        check_accessibility(page, f"long details, {width} px")
        shoot(page, f"details-long-{width}")
        page.keyboard.press("End")
        expect(dialog.get_by_role("button", name="Close")).to_be_in_viewport()
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="Went wrong at length")).to_be_focused()
        view.close()


def what_is_selected_in_details_stays_so(browser, server):
    """What somebody selects in the details of what runs, to copy it, is left alone while those go on."""
    identity = start(server, "Selected", "seed")
    view = patient(browser, server.url)
    page = view.open()
    card(page, "Selected").get_by_role("button", name="Selected").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("dl")).to_contain_text("So far")
    page.evaluate("""() => {
        globalThis.selected = [document.querySelector('dialog dd'), document.querySelector('dialog ol.log li')];
        getSelection().setBaseAndExtent(selected[0], 0, selected[1].parentNode, 1);
    }""")
    call(server, "POST", f"{ROOT}/{identity}/pause")
    expect(dialog.locator("ol.log li")).to_have_count(2)
    begun = dialog.locator("dd", has_text=re.compile(r"^\d+ s$")).text_content()
    until(page, lambda: dialog.get_by_text(begun, exact=True).count() == 0, "another time")
    kept = page.evaluate("selected.map((node) => node.isConnected && getSelection().containsNode(node, true))")
    assert kept == [True, True], kept
    finish(server, identity)
    view.close()


def details_tell_what_an_estimate_rests_on(browser, server):
    """What the time remaining rests on, and what phases took, can be read without a mouse."""
    identity = start(server, "Estimated")
    estimate = {"eta_low_seconds": 60, "eta_seconds": 75, "eta_high_seconds": 90, "eta_basis": "blend", "eta_samples": 12}
    record = {**call(server, "GET", f"{ROOT}/{identity}"), **estimate, "phases": [{"phase": None, "seconds": 2}, {"phase": "unpacking", "seconds": 70}]}
    view = Page(browser, server.url)
    view.page.route(f"**/operations/{identity}", lambda route: route.fulfill(status=200, content_type="application/json", body=json.dumps(record)))
    page = view.open()
    card(page, "Estimated").get_by_role("button", name="Estimated").press("Enter")
    told = page.get_by_role("dialog").locator("dl")
    expect(told).to_contain_text("60 s to 1.5 min left. An interval that is to hold in four of five cases, by this run and earlier ones (12 of them).")
    expect(told).to_contain_text("to begin with 2 s, unpacking 1 min 10 s")
    shoot(page, "details-estimate")
    finish(server, identity)
    view.close()


def details_go_on_while_they_are_looked_at(browser, server):
    """The details of what runs tell what becomes of it, and when it has ended, ask no more."""
    identity = start(server, "Looked at", "download", total_size_mb=100)
    view = Page(browser, server.url)
    # The page may look for what has become of an operation also by itself, but then not for its log.
    asked = []
    view.page.on("request", lambda request: f"operation_id={identity}" in request.url and asked.append(request.url))
    page = view.open()
    card(page, "Looked at").get_by_role("button", name="Looked at").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("dl")).to_contain_text("Began")
    call(server, "POST", f"{ROOT}/{identity}/update", {"downloaded_mb": 10})
    expect(dialog.locator("dl")).to_contain_text("10.0 MB of 100 MB")
    # It ends while the record is on its way: the log must not have been read before that.
    gate = Gate(view, re.compile(f"/operations/{identity}$"))
    gate.wait()
    settle(page)
    finish(server, identity, error="The disk is full.")
    gate.open()
    expect(dialog.locator(".status")).to_have_text("failed")
    expect(dialog.locator("p.error")).to_have_text("The disk is full.")
    expect(dialog.locator("ol.log li").last).to_contain_text("failed")
    dialog.get_by_text("As JSON").click()
    expect(dialog.locator("pre")).to_contain_text('"status": "failed"')
    # What is asked after is asked every two seconds, one at a time.
    before = len(asked)
    page.wait_for_timeout(5000)
    assert before > 0 and len(asked) == before, f"it was asked for {before} times, and {len(asked) - before} times more when it had ended"
    view.close()


def what_happened_is_asked_for_until_it_is_told(browser, server):
    """A log that does not come is said to be missing, leaves what was shown of it, and is there as soon as it can be had, also of what has ended."""
    identity = start(server, "Logged", "seed")
    view = Page(browser, server.url)
    view.tolerated = ("ERR_", "Failed to load resource")
    page = view.open()
    dialog = page.get_by_role("dialog")
    entries = dialog.locator("ol.log li")
    log = f"**/api/ports/events?operation_id={identity}*"
    missing = dialog.get_by_text("What happened to it could not be asked for.")
    card(page, "Logged").get_by_role("button", name="Logged").click()
    expect(entries).to_have_count(1)
    page.route(log, lambda route: route.abort())
    finish(server, identity)
    expect(dialog.locator(".status")).to_have_text("completed")
    expect(missing).to_be_visible()
    expect(entries).to_have_count(1)
    page.unroute(log)
    expect(entries).to_have_count(2)
    expect(missing).to_be_hidden()
    page.keyboard.press("Escape")
    go(page, "History")
    page.route(log, lambda route: route.abort())
    page.get_by_role("button", name="Logged").first.click()
    expect(missing).to_be_visible()
    expect(entries).to_have_count(0)
    page.unroute(log)
    expect(entries).to_have_count(2)
    expect(missing).to_be_hidden()
    view.close()
