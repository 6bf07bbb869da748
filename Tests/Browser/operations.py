"""What is started, watched, steered and ended on the page."""

import json
import re
import subprocess
import tempfile
import time

from playwright.sync_api import expect
from support import PATIENCE, ROOT, WIZARD, Page, call, card, check_accessibility, configured, example, finish, keep_ended, scripted, serve, shoot, start, trickle, until


def pull_pause_resume_reload_cancel(browser, server):
    """A pull is started from the page, watched, paused, resumed, reloaded under; another is cancelled; both are in the history."""
    view = Page(browser, server.url)
    keep_ended(view)
    page = view.open("start")

    def pull(model):
        form = page.locator("form", has=page.get_by_role("heading", name="Pull a model"))
        form.get_by_label("Model", exact=True).fill(model)
        form.get_by_role("button", name="Pull").click()
        expect(form.get_by_role("status")).to_contain_text("Started")
        page.get_by_role("link", name="Running").click()

    first, second = card(page, "Pull large"), card(page, "Pull larger")
    value = lambda: first.locator("progress").evaluate("bar => bar.value")
    # It ends by itself half a minute after it has begun, unless it is paused.
    pull("large")
    expect(first.locator(".percent")).to_have_text(re.compile("^[1-9]"))
    first.get_by_role("button", name="Pause").click()
    expect(first.locator(".status")).to_have_text("paused")
    expect(page.locator("#liveness")).to_have_attribute("data-state", "live")
    held = value()
    page.get_by_role("link", name="Start", exact=True).click()
    pull("larger")
    expect(second.locator(".percent")).to_have_text(re.compile("%$"))
    shoot(page, "running")
    page.reload()
    expect(first.locator(".status")).to_have_text("paused")
    assert value() >= held
    first.get_by_role("button", name="Resume").click()
    until(page, lambda: value() > held, f"more than {held} %")

    second.get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Back").click()
    expect(second.locator(".status")).not_to_have_text("cancelled")
    second.get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel it").click()
    expect(second.locator(".status")).to_have_text("cancelled")
    expect(first.locator(".status")).to_have_text("completed", timeout=120_000)
    expect(first.locator(".percent")).to_have_text("100 %")

    page.get_by_role("link", name="History").click()
    rows = page.locator("table.history tbody tr")
    expect(rows.filter(has_text="Pull larger")).to_contain_text("cancelled")
    done = rows.filter(has=page.get_by_role("button", name="Pull large", exact=True))
    expect(done).to_contain_text("completed")
    done.get_by_role("button").click()
    expect(page.get_by_role("dialog")).to_contain_text("858 MB of 858 MB")
    expect(page.get_by_role("dialog").get_by_role("listitem").last).to_contain_text("completed")
    check_accessibility(page, "a run's details")
    shoot(page, "details")
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    view.close()


def parts_stand_under_their_whole(browser, server):
    """Cards of parts stand in the card of what they are parts of, in their order, whichever comes first."""
    like = example(server)
    make = lambda name, second, parent=None: {**like, "operation_id": f"op_{name}", "description": name, "parent_id": parent and f"op_{parent}", "created_at": f"2026-01-01T00:00:0{second}.000Z"}
    view = Page(browser, server.url)
    page = scripted(view, [make("later", 3, "whole"), make("deep", 4, "sooner"), make("whole", 1), make("sooner", 2, "whole"), make("other", 0)])
    stand = lambda place, *names: expect(place.locator(":scope > li > article > header h3")).to_have_text(names)
    expect(page.locator("article.card")).to_have_count(5)
    expect(page.get_by_text("0 %")).to_have_count(0)
    stand(page.get_by_role("list", name="Operations"), "other", "whole")
    stand(page.locator("[data-id=op_whole] > article > ul.children"), "sooner", "later")
    stand(page.locator("[data-id=op_sooner] > article > ul.children"), "deep")
    check_accessibility(page, "parts of parts")
    shoot(page, "parts")
    view.close()


def parts_outlive_their_whole(browser, server):
    """Parts that go on when their whole is gone stay, on their own, and go back when it comes again; the focus stays on them."""
    like = example(server)
    operations = [{**like, "operation_id": "op_whole", "description": "A whole"}, {**like, "operation_id": "op_part", "description": "A part", "parent_id": "op_whole"}]
    view = Page(browser, server.url)
    view.tolerated = ("404",)
    page = scripted(view, operations)
    expect(page.locator("[data-id=op_whole] > article > ul.children > [data-id=op_part]")).to_be_visible()
    pause = page.locator("[data-id=op_part]").get_by_role("button", name="Pause")
    pause.focus()
    whole = operations.pop(0)
    expect(card(page, "A whole")).to_have_count(0)
    expect(page.locator("ul[aria-label=Operations] > [data-id=op_part]")).to_be_visible()
    expect(pause).to_be_focused()
    operations.append(whole)
    expect(page.locator("[data-id=op_whole] > article > ul.children > [data-id=op_part]")).to_be_visible()
    expect(pause).to_be_focused()
    view.close()


def what_cannot_be_done_is_not_offered(browser, server):
    """Pausing and a limit are offered where the provider says that its work can."""
    ids = [start(server, f"Some {kind}", kind) for kind in ("seed", "download", "install")]
    view = Page(browser, server.url)
    provider = lambda kind, pausing, throttleable: {"operation_type": kind, "may_be_started": True, "pausing": pausing, "is_throttleable": throttleable}
    providers = {"providers": [provider("seed", "unsupported", True), provider("download", "by_restart", False)]}
    view.page.route("**/providers", lambda route: route.fulfill(status=200, content_type="application/json", body=json.dumps(providers)))
    # Where that fails it is asked again.
    view.tolerated = ("ERR_", "Failed to load resource")
    view.page.route("**/providers", lambda route: route.abort(), times=1)
    page = view.open()
    for kind, can_pause, can_limit in (("seed", False, True), ("download", True, False), ("install", True, False)):
        shown = card(page, f"Some {kind}")
        expect(shown.get_by_role("button", name="Cancel")).to_be_visible()
        expect(shown.get_by_role("button", name="Limit speed")).to_have_count(1 if can_limit else 0)
        expect(shown.get_by_role("button", name="Pause")).to_have_count(1 if can_pause else 0)
    for identity in ids:
        finish(server, identity)
    view.close()


def what_is_begun_again_says_so(browser, server):
    """Where an amount falls and the bar doesn't, the card tells why the two differ."""
    identity = start(server, "Fetch twice", "download", total_size_mb=100)
    view = Page(browser, server.url)
    page = view.open()
    fetched = card(page, "Fetch twice")
    for amount, told in ((60, "60.0 MB of 100 MB"), (10, "10.0 MB of 100 MB, begun again"), (70, "70.0 MB of 100 MB")):
        call(server, "POST", f"{ROOT}/{identity}/update", {"downloaded_mb": amount})
        expect(fetched.locator(".amount")).to_have_text(told)
    expect(fetched.locator(".percent")).to_have_text("70 %")
    finish(server, identity)
    view.close()


def forms_are_checked_and_say_what_has_become_of_it(browser, stand_in):
    """A form refuses what can't be, without a word in the console; its line is of what was started last, and tells its end."""
    with configured(stand_in) as server:
        view = Page(browser, server.url)
        page = view.open("start")
        form = page.locator("form", has=page.get_by_role("heading", name="Download a file"))
        field = form.get_by_label("Name of the file")
        for name, is_valid in (("a/b", False), ("a\\b", False), ("weights 1.bin", True), ("[x]&&{y}.iso", True), ("", True)):
            field.fill(name)
            assert field.evaluate("field => field.validity.valid") == is_valid, f"the name {name!r}"
        address = form.get_by_label("Address", exact=True)
        for text, is_valid in (("HTTP://example.com/x", True), (" https://example.com/x ", True), ("ftp://example.com/x", False)):
            address.fill(text)
            address.press("Tab")
            assert address.evaluate("field => field.validity.valid") == is_valid, f"the address {text!r}"
        checksum = form.get_by_label("SHA-256")
        for text, is_valid in (("0f" * 32, True), ("0f" * 31, False), ("xy" * 32, False)):
            checksum.fill(text)
            assert checksum.evaluate("field => field.validity.valid") == is_valid, f"the checksum {text!r}"
        form = page.locator("form", has=page.get_by_role("heading", name="Pull a model"))
        model, said = form.get_by_label("Model", exact=True), form.get_by_role("status")
        for name, is_valid in (("two words", False), ("hf.co/someone/model:Q4_K_M", True), ("endless", True)):
            model.fill(name)
            assert model.evaluate("field => field.validity.valid") == is_valid, f"the model {name!r}"
        # What is pasted has blanks at its ends.
        model.fill(" endless\u00a0")
        model.press("Enter")
        expect(said).to_have_text("Started. Watch it")
        expect(model).to_have_value("endless")
        model.fill("endless2")
        expect(said).to_have_text("")
        model.fill("endless")
        form.get_by_role("button", name="Pull").click()
        expect(said).to_have_text("That is being done already. Watch it")
        shoot(page, "started")
        (pull,) = call(server, "GET", ROOT)["operations"]
        call(server, "POST", f"{ROOT}/{pull['operation_id']}/cancel")
        expect(said).to_have_text("Pull endless: cancelled. See the history")
        view.close()


def a_form_is_sent_once_and_keeps_what_was_typed(browser, stand_in):
    """Enter pressed twice starts one; what has been typed is there after a look elsewhere."""
    with configured(stand_in) as server:
        view = Page(browser, server.url)
        view.tolerated = ("429",)
        held = []
        view.page.route("**/operations/run", lambda route: held.append(route))
        page = view.open("start")
        form = page.locator("form", has=page.get_by_role("heading", name="Pull a model"))
        model = form.get_by_label("Model", exact=True)
        model.fill("endless")
        model.press("Enter")
        expect(form.get_by_role("status")).to_have_text("Starting …")
        until(page, lambda: held, "the request")
        model.press("Enter")
        page.wait_for_timeout(500)
        assert len(held) == 1, f"it was sent {len(held)} times"
        page.get_by_role("link", name="Running").click()
        page.get_by_role("link", name="Start", exact=True).click()
        expect(model).to_have_value("endless")
        held[0].fulfill(status=429, content_type="application/problem+json", body=json.dumps({"detail": "The queue is full."}))
        expect(form.get_by_role("status")).to_have_text("The queue is full.")
        page.unroute("**/operations/run")
        model.press("Enter")
        expect(form.get_by_role("status")).to_contain_text("Started")
        (pull,) = call(server, "GET", ROOT)["operations"]
        call(server, "POST", f"{ROOT}/{pull['operation_id']}/cancel")
        view.close()


def what_is_missing_says_why(browser, server):
    """In the place of a form that would need keys stands what to set."""
    view = Page(browser, server.url)
    page = view.open("start")
    missing = page.locator("article", has=page.get_by_role("heading", name="Seed icons"))
    expect(missing).to_contain_text("NOUNPROJECT_API_KEY")
    expect(missing.get_by_role("button")).to_have_count(0)
    view.close()


def the_queue_is_ordered_and_a_download_limited(browser, stand_in):
    """Of two that wait, one is given another priority and comes first; a download is held to a speed."""
    # Without a limit it takes some minutes.
    with trickle(speed=2 << 20) as address, configured(stand_in, queue={"maximum_running": 1}) as server:
        view = Page(browser, server.url)
        page = view.open("start")
        form = page.locator("form", has=page.get_by_role("heading", name="Download a file"))
        form.get_by_label("Address", exact=True).fill("not an address")
        form.get_by_role("button", name="Download").click()
        assert form.get_by_label("Address", exact=True).evaluate("field => !field.validity.valid && field === document.activeElement")
        form.get_by_label("Address", exact=True).fill(address)
        form.get_by_role("button", name="Download").click()
        expect(form.get_by_role("status")).to_contain_text("Started")
        for model in ("large", "endless"):
            call(server, "POST", ROOT + "/run", {"operation_type": "pull_model", "request": {"model": model, "insecure": False}})
        page.get_by_role("link", name="Running").click()
        download = page.locator("article.card[data-type=download]")
        download.get_by_role("button", name="Limit speed").click()
        page.get_by_role("dialog").get_by_label("At most, in MB/s").fill("0.3")
        page.get_by_role("dialog").get_by_role("button", name="Set").click()
        expect(download.locator(".speed")).to_have_text(re.compile(r"^0\.(2\d|3[0-3]) MB/s$"))
        expect(download.locator(".fact.limit")).to_have_text("limited to 0.30 MB/s")
        # By the speed of the file before the limit it would be done much sooner.
        expect(download.locator(".remaining")).to_have_text(re.compile(r"(1[05]|20|30)( to 30)? min left"))
        expect(card(page, "Pull large").locator(".status")).to_have_text("waiting")
        with page.expect_response("**/priority"):
            card(page, "Pull endless").get_by_label("Priority").select_option("urgent")
        download.get_by_role("button", name="Cancel").click()
        page.get_by_role("dialog").get_by_role("button", name="Cancel it").click()
        expect(card(page, "Pull endless").locator(".status")).to_have_text("running")
        expect(card(page, "Pull large").locator(".status")).to_have_text("waiting")
        view.close()


def overload_is_said_before_a_start(browser, stand_in):
    """While the machine is overloaded a banner says why, and a start asks first."""
    with configured(stand_in, overload={"minimum_available_memory_mb": 1 << 30}) as server:
        view = Page(browser, server.url)
        page = view.open("start")
        expect(page.locator("#overload")).to_contain_text("memory")
        form = page.locator("form", has=page.get_by_role("heading", name="Pull a model"))
        form.get_by_label("Model", exact=True).fill("endless")
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
        shoot(page, "started-overloaded")
        page.get_by_role("link", name="Running").click()
        expect(card(page, "Pull endless")).to_be_visible()
        # It has held since before this page's stream began.
        page.reload()
        expect(card(page, "Pull endless")).to_be_visible()
        expect(page.locator("#overload")).to_contain_text("memory")
        (pull,) = call(server, "GET", ROOT)["operations"]
        call(server, "POST", f"{ROOT}/{pull['operation_id']}/cancel")
        expect(card(page, "Pull endless")).to_have_count(0)
        expect(page.locator("#overload")).to_be_hidden()
        view.close()


def nobody_measures_for_a_page_in_the_background(browser, server):
    """A forgotten tab with the forms asks no more how busy the machine is; once it is looked at, it does."""
    view = Page(browser, server.url)
    # What is asked every five seconds is asked twenty times a second, and it is counted how often it would be.
    view.page.add_init_script(
        """{ const later = setTimeout; const ask = fetch; globalThis.turns = 0; globalThis.asked = 0;
            globalThis.setTimeout = (work, time, ...more) => (time === 5000 ? later(() => { turns += 1; work(); }, 50) : later(work, time, ...more));
            globalThis.fetch = (path, ...more) => { if (String(path).includes('check-overload')) asked += 1; return ask(path, ...more); }; }"""
    )
    page = view.open("start")
    hide = lambda is_hidden: page.evaluate(f"Object.defineProperty(document, 'hidden', {{ configurable: true, value: {is_hidden} }})")
    count = lambda name: page.evaluate(name)

    def turn_round(times):
        before = count("turns")
        until(page, lambda: count("turns") >= before + times, f"{times} turns")

    until(page, lambda: count("asked") >= 2, "two requests")
    hide("true")
    turn_round(2)
    before = count("asked")
    turn_round(20)
    assert count("asked") == before, f"asked {count('asked') - before} times for nobody"
    hide("false")
    until(page, lambda: count("asked") > before, "a request for who looks at it again")
    view.close()


def seconds_told(page, name):
    """For how long a card says that its work has run, in s."""
    cost = card(page, name).locator(".cost")
    told = []
    until(page, lambda: told.append(re.search(r"for (?:(\d+) min )?(\d+) s", cost.text_content())) or told[-1], "for how long it has run")
    minutes, rest = told[-1].groups()
    return 60 * int(minutes or 0) + int(rest)


def work_of_another_process_is_shown(browser, stand_in):
    """What another process runs on the same data is shown, without what only that process could do, and its end is told."""
    with tempfile.TemporaryDirectory() as data:
        server = serve(data, stand_in)
        work = None
        try:
            view = Page(browser, server.url)
            page = view.open()
            expect(page.get_by_text("Nothing runs")).to_be_visible()
            begun = time.monotonic()
            work = subprocess.Popen([WIZARD, "run", "--name", "Elsewhere", "--data", data, "--", "sleep", "600"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            shown = card(page, "Elsewhere")
            expect(shown).to_contain_text("in another process")
            expect(page.get_by_text("Nothing runs")).to_be_hidden()
            expect(page.get_by_text("1 in another process")).to_be_visible()
            expect(shown.get_by_role("button")).to_have_count(1)
            check_accessibility(page, "work of another process")
            shoot(page, "elsewhere")
            until(page, lambda: seconds_told(page, "Elsewhere") >= 8, "eight seconds")
            told, passed = seconds_told(page, "Elsewhere"), time.monotonic() - begun
            assert told <= passed + 1, f"{told} s are told of what began {passed:.0f} s ago"
            page.reload()
            expect(shown).to_contain_text("in another process")
            page.get_by_role("link", name="History").click()
            row = page.locator("table.history tbody tr", has_text="Elsewhere")
            expect(row.locator(".status")).to_have_text("running")
            work.terminate()
            assert work.wait(PATIENCE) == 130, "work beside a server could not be cancelled"
            expect(row.locator(".status")).not_to_have_text("running")
            page.get_by_role("link", name="Running").click()
            expect(shown).to_have_count(0)
            view.close()
        finally:
            if work and work.poll() is None:
                work.kill()
                work.wait()
            server.stop()


def time_goes_on_in_silence(browser, stand_in):
    """How long something has run is told also while it reports nothing."""
    with configured(stand_in) as server:
        identity = start(server, "Silent")
        view = Page(browser, server.url)
        page = view.open()
        seconds = lambda tab: seconds_told(tab, "Silent")
        begun = seconds(page)
        until(page, lambda: seconds(page) >= begun + 4, "four seconds more")
        # A page that comes later is told by the worker what that knows.
        before = seconds(page)
        other = view.context.new_page()
        other.goto(view.url)
        assert seconds(other) >= before, "a page that comes later begins to count anew"
        finish(server, identity)
        view.close()
