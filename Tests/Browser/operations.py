"""What is started, watched, steered and ended on the page."""

import os
import re
import tempfile

from playwright.sync_api import expect
from support import ROOT, Feeder, Page, call, card, check_accessibility, configured, free_port, shoot, squat


def pull_pause_resume_reload_cancel(browser, server):
    """A pull is started from the page, watched, paused, resumed, reloaded under; another is cancelled; both are in the history."""
    view = Page(browser, server.url)
    page = view.open("start")
    for model in ("large", "larger"):
        form = page.locator("form", has=page.get_by_role("heading", name="Pull a model"))
        form.get_by_label("Model", exact=True).fill(model)
        form.get_by_role("button", name="Pull").click()
        expect(form.get_by_role("status")).to_contain_text("Started")
    page.get_by_role("link", name="Running").click()
    first, second = card(page, "Pull large"), card(page, "Pull larger")
    expect(first.locator(".percent")).not_to_have_text("0 %")
    expect(page.locator("#liveness")).to_have_attribute("data-state", "live")
    before = first.locator("progress").evaluate("bar => bar.value")
    page.wait_for_function("([bar, value]) => bar.value > value", arg=[first.locator("progress").element_handle(), before])
    shoot(page, "running")

    first.get_by_role("button", name="Pause").click()
    expect(first.locator(".status")).to_have_text("paused")
    held = first.locator("progress").evaluate("bar => bar.value")
    page.reload()
    expect(first.locator(".status")).to_have_text("paused")
    assert first.locator("progress").evaluate("bar => bar.value") >= held
    first.get_by_role("button", name="Resume").click()
    expect(first.locator(".status")).to_have_text("running")

    second.get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Back").click()
    expect(second.locator(".status")).not_to_have_text("cancelled")
    second.get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel it").click()
    expect(second.locator(".status")).to_have_text("cancelled")
    expect(first.locator(".status")).to_have_text("completed", timeout=60_000)
    expect(first.locator(".percent")).to_have_text("100 %")

    page.get_by_role("link", name="History").click()
    rows = page.locator("table.history tbody tr")
    expect(rows.filter(has_text="Pull larger")).to_contain_text("cancelled")
    done = rows.filter(has=page.get_by_role("button", name="Pull large", exact=True))
    expect(done).to_contain_text("completed")
    done.get_by_role("button").click()
    expect(page.get_by_role("dialog")).to_contain_text("572 MB of 572 MB")
    expect(page.get_by_role("dialog").get_by_role("listitem").last).to_contain_text("completed")
    check_accessibility(page, "a run's details")
    shoot(page, "details")
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    view.close()


def the_queue_is_ordered_and_a_download_limited(browser, stand_in):
    """Of two that wait, one is given another priority and comes first; a download is held to a speed."""
    with tempfile.TemporaryDirectory() as folder, configured(stand_in, queue={"maximum_running": 1}) as server:
        with open(os.path.join(folder, "file.bin"), "wb") as file:
            file.truncate(400 << 20)
        port = free_port()
        files = squat(port, folder)
        try:
            view = Page(browser, server.url)
            page = view.open("start")
            form = page.locator("form", has=page.get_by_role("heading", name="Download a file"))
            form.get_by_label("Address", exact=True).fill("not an address")
            form.get_by_role("button", name="Download").click()
            assert form.get_by_label("Address", exact=True).evaluate("field => !field.validity.valid && field === document.activeElement")
            form.get_by_label("Address", exact=True).fill(f"http://127.0.0.1:{port}/file.bin")
            form.get_by_role("button", name="Download").click()
            expect(form.get_by_role("status")).to_contain_text("Started")
            for model in ("large", "keys"):
                call(server, "POST", ROOT + "/run", {"operation_type": "pull_model", "request": {"model": model, "insecure": False}})
            page.get_by_role("link", name="Running").click()
            download = page.locator("article.card[data-type=download]")
            download.get_by_role("button", name="Limit speed").click()
            page.get_by_role("dialog").get_by_label("At most").fill("300")
            page.get_by_role("dialog").get_by_role("button", name="Set").click()
            expect(download.locator(".speed")).to_have_text(re.compile(r"^(2\d\d|3[0-3]\d)( |\.\d )kB/s$"), timeout=30_000)
            expect(card(page, "Pull large").locator(".status")).to_have_text("waiting")
            card(page, "Pull keys").get_by_label("Priority").select_option("urgent")
            download.get_by_role("button", name="Cancel").click()
            page.get_by_role("dialog").get_by_role("button", name="Cancel it").click()
            expect(card(page, "Pull keys").locator(".status")).to_have_text("running")
            expect(card(page, "Pull large").locator(".status")).to_have_text("waiting")
            view.close()
        finally:
            files.kill()
            files.wait()


def two_tabs_share_one_stream(browser, server):
    """Both tabs of a browser are live, by one connection."""
    view = Page(browser, server.url)
    page = view.open()
    expect(page.locator("#liveness")).to_have_attribute("data-state", "live")
    # Those of pages that are gone may still be counted until the server next writes to them.
    before = call(server, "GET", "/health")["streams"]
    other = view.context.new_page()
    other.goto(server.url)
    expect(other.locator("#liveness")).to_have_attribute("data-state", "live")
    streams = call(server, "GET", "/health")["streams"]
    assert streams <= before, f"a second tab opened a stream of its own: {streams} after {before}"
    identity = call(server, "POST", ROOT + "/start", {"operation_type": "install", "description": "Seen by both"})["operation_id"]
    for tab in (page, other):
        expect(card(tab, "Seen by both")).to_be_visible()
    call(server, "POST", f"{ROOT}/{identity}/complete")
    for tab in (page, other):
        expect(card(tab, "Seen by both").locator(".status")).to_have_text("completed")
    view.close()


def overload_is_said_before_a_start(browser, stand_in):
    """While the machine is overloaded a banner says why, and a start asks first."""
    with configured(stand_in, overload={"minimum_available_memory_mb": 1 << 30}) as server:
        view = Page(browser, server.url)
        page = view.open("start")
        expect(page.locator("#overload")).to_contain_text("memory")
        form = page.locator("form", has=page.get_by_role("heading", name="Pull a model"))
        form.get_by_label("Model", exact=True).fill("keys")
        form.get_by_role("button", name="Pull").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("memory")
        check_accessibility(page, "a dialog")
        shoot(page, "overload")
        dialog.get_by_role("button", name="Back").click()
        assert call(server, "GET", ROOT)["operations"] == [], "it was started without being confirmed"
        form.get_by_role("button", name="Pull").click()
        dialog.get_by_role("button", name="Start all the same").click()
        expect(form.get_by_role("status")).to_contain_text("Started")
        view.close()


def without_streams_the_page_asks(browser, stand_in):
    """Where the server gives no stream, the page says so and asks every two seconds."""
    with configured(stand_in, limits={"streams": 0}) as server:
        view = Page(browser, server.url)
        view.tolerated = ("503", "429")
        page = view.open()
        expect(page.locator("#liveness")).to_have_attribute("data-state", "polling")
        identity = call(server, "POST", ROOT + "/start", {"operation_type": "install", "description": "Asked for"})["operation_id"]
        expect(card(page, "Asked for")).to_be_visible()
        call(server, "POST", f"{ROOT}/{identity}/complete")
        expect(card(page, "Asked for")).to_have_count(0)
        view.close()


def the_history_goes_on_and_is_filtered(browser, stand_in):
    """More of the history comes with scrolling; filters leave what they ask for; events come while they are looked at."""
    with configured(stand_in) as server:
        for number in range(120):
            identity = call(server, "POST", ROOT + "/start", {"operation_type": "seed", "description": f"Load {number}"})["operation_id"]
            call(server, "POST", f"{ROOT}/{identity}/complete", {"error": "No."} if number % 40 == 0 else {})
        view = Page(browser, server.url)
        page = view.open("history")
        rows = page.locator("table.history tbody tr")
        expect(rows).to_have_count(50)
        for count in (100, 120):
            rows.last.scroll_into_view_if_needed()
            page.mouse.wheel(0, 10_000)
            expect(rows).to_have_count(count)
        names = rows.get_by_role("button").all_text_contents()
        assert sorted(names) == sorted(f"Load {number}" for number in range(120)), "a page left something out or told it twice"
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
        identity = call(server, "POST", ROOT + "/start", {"operation_type": "install", "description": "Seen as it begins"})["operation_id"]
        expect(events.first).to_contain_text("Seen as it begins")
        events.first.get_by_role("button", name=identity).click()
        expect(page.get_by_role("dialog")).to_contain_text("Seen as it begins")
        view.close()


COUNT_FRAMES = """() => { window.gaps = []; let last = null;
    const frame = (now) => { if (last !== null) window.gaps.push(now - last); last = now; requestAnimationFrame(frame); };
    requestAnimationFrame(frame); }"""
COUNT_WORDS_SAID = """() => { window.said = 0;
    const observer = new MutationObserver((changes) => { window.said += changes.length; });
    for (const node of document.querySelectorAll('[aria-live], [role=status], [role=alert]'))
        observer.observe(node, { childList: true, characterData: true, subtree: true }); }"""


def five_hundred_operations(browser, server):
    """Five hundred operations that all move don't drop frames, and aren't read out one by one.

    How many frames a machine can show depends on what else it does. So a page with nothing on it counts its frames at the same
    time, and what is asked for is that the dashboard shows as many.
    """
    ids = [
        call(server, "POST", ROOT + "/start", {"operation_type": "seed", "description": f"Load {number}"})["operation_id"]
        for number in range(500)
    ]
    view = Page(browser, server.url)
    idle = browser.new_context().new_page()
    page = view.open()
    expect(page.locator("article.card")).to_have_count(500)
    feeder = Feeder(server, ids)
    feeder.start()
    moved = page.locator("article.card .percent").first
    expect(moved).not_to_have_text("0 %")
    page.evaluate(COUNT_WORDS_SAID)
    before = feeder.updates
    for each in (idle, page):
        each.evaluate(COUNT_FRAMES)
    page.wait_for_timeout(6000)
    shown, possible = [sorted(each.evaluate("window.gaps")) for each in (page, idle)]
    updates = feeder.updates - before
    feeder.stop()
    share = len(shown) / len(possible)
    slow = sum(gap > 3 * possible[len(possible) // 2] for gap in shown) / len(shown)
    print(
        f"  {updates} updates of 500 operations in 6 s: {len(shown)} frames where an empty page had {len(possible)} ({share:.0%}); median"
        f" {shown[len(shown) // 2]:.1f} ms, 95 of 100 within {shown[len(shown) * 95 // 100]:.1f} ms, {slow:.1%} of more than three turns"
    )
    assert updates > 1000, f"only {updates} updates were made, so nothing is shown by this"
    assert share > 0.9, f"{share:.0%} of the frames that an empty page has"
    said = page.evaluate("window.said")
    assert said <= 2, f"{said} changes were read out while nothing began or ended"
    idle.context.close()
    for identity in ids:
        call(server, "POST", f"{ROOT}/{identity}/complete")
    expect(page.locator("article.card")).to_have_count(0, timeout=40_000)
    expect(page.locator("#announcer")).to_have_text(re.compile("operations have ended"))
    view.close()
