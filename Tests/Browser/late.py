"""Answers that come late: after the person has gone on, or after a newer one. What was asked for meanwhile is not lost without a word."""

import contextlib
import json
import os
import re
import signal
import tempfile

from liveness import with_stream
from playwright.sync_api import Error, expect
from support import PATIENCE, ROOT, Page, call, card, check_accessibility, configured, finish, free_port, serve, shoot, squatting, start, until, without_timer


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


def what_is_done_goes_on_when_its_view_is_left(browser):
    """While a service starts nothing else can be pressed, also after a look elsewhere; then a kill that is confirmed is done. What came of it is told who was away."""
    port = free_port()
    web = {"name": "web", "port": free_port(), "startup_cmd": "exec sleep 600"}
    with with_services(web, {"name": "taken", "port": port, "process_name": "node"}) as server:
        with squatting(port) as squatter:
            view = patient(browser, server.url)
            page = view.open("ports")
            status = page.locator("section > p[role=status]")
            expect(status).to_have_text("1 port is held by something else.")
            enabled = page.locator("#main button:enabled")
            start_it = page.get_by_role("row", name="web").get_by_role("button", name="Start")
            told = lambda message: {"status": 200, "content_type": "application/json", "body": json.dumps({"message": message})}
            # An older look comes while it is done.
            look = Gate(view, "**/api/ports/status")
            page.get_by_role("button", name="Check", exact=True).click()
            look.wait()
            gate = Gate(view, "**/api/ports/start")
            start_it.click()
            gate.wait()
            look.open()
            for away in ("Machine", "Ports"):
                go(page, away)
            settle(page)
            expect(status).to_have_text("Starting web …")
            expect(enabled).to_have_count(0)
            shoot(page, "ports-busy")
            gate.held.pop().fulfill(**told("The service is there."))
            expect(status).to_have_text("The service is there. 1 port is held by something else.")
            start_it.click()
            gate.wait()
            go(page, "Machine")
            with page.expect_response("**/api/ports/start"):
                gate.held.pop().fulfill(**told("It is there again."))
            settle(page)
            go(page, "Ports")
            expect(status).to_have_text("It is there again. 1 port is held by something else.")
            # It is said once.
            page.get_by_role("button", name="Check", exact=True).click()
            expect(status).to_have_text("1 port is held by something else.")
            page.locator("article.conflict").get_by_role("button", name="Kill").click()
            page.get_by_role("dialog").get_by_role("button", name=re.compile("^Kill")).click()
            assert squatter.wait(PATIENCE) == -signal.SIGTERM, "a kill that was confirmed was not done"
            view.close()


def an_older_look_does_not_hide_a_newer_one(browser):
    """Of two looks at the ports that are on their way the newer is shown, whichever comes last."""
    port = free_port()
    with with_services({"name": "taken", "port": port, "process_name": "node"}) as server:
        with squatting(port) as squatter:
            view = patient(browser, server.url)
            page = view.open("ports")
            status = page.locator("section > p[role=status]")
            check = page.get_by_role("button", name="Check", exact=True)
            expect(status).to_have_text("1 port is held by something else.")
            gate = Gate(view, "**/self-heal/port-conflicts")
            check.click()
            gate.wait()
            older = gate.held[0].fetch()
            gate.is_open = True
            squatter.kill()
            squatter.wait()
            check.click()
            expect(status).to_have_text("Every port is held by the service it belongs to, or free.")
            gate.open(response=older)
            settle(page)
            expect(status).to_have_text("Every port is held by the service it belongs to, or free.")
            expect(page.locator("article.conflict")).to_have_count(0)
            view.close()


def a_question_stays_with_its_view(browser):
    """What is to be healed is asked in the view where that was pressed, while nothing else there can be, and nowhere else."""
    port = free_port()
    with with_services({"name": "taken", "port": port, "process_name": "node"}) as server:
        with squatting(port) as squatter:
            view = patient(browser, server.url)
            page = view.open("ports")
            heal = page.get_by_role("button", name="Heal all")
            for comes_back in (False, True):
                gate = Gate(view, "**/self-heal/recover")
                heal.click()
                gate.wait()
                expect(page.locator("#main button:enabled")).to_have_count(0)
                go(page, "Machine")
                if comes_back:
                    go(page, "Ports")
                gate.open()
                settle(page)
                expect(page.get_by_role("dialog")).to_have_count(0)
                expect(page.get_by_role("alert")).to_have_count(0)
                go(page, "Ports")
                expect(page.locator("section > p[role=status]")).to_have_text("1 port is held by something else.")
            heal.click()
            page.get_by_role("dialog").get_by_role("button", name="Back").click()
            expect(heal).to_be_focused()
            assert squatter.poll() is None, "it was ended without being confirmed"
            view.close()


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
    gate = Gate(view, re.compile("/operations/op_"))
    press("The one")
    gate.wait()
    card(page, "The other").get_by_role("button", name="Cancel").click()
    gate.open()
    settle(page)
    expect(dialog.get_by_role("heading", level=2)).to_have_text("Cancel “The other”?")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    press("The one")
    expect(dialog.get_by_role("heading", level=2)).to_have_text("The one")
    view.close()
    for identity in ids:
        finish(server, identity)


def who_has_left_a_form_is_told_that_nothing_was_started(browser, stand_in):
    """A start that is refused after its form was left is told there and then; so is one that would have asked first, which is not done."""
    with configured(stand_in, overload={"minimum_available_memory_mb": 1 << 30}) as server:
        view = patient(browser, server.url)
        view.tolerated = ("429",)
        page = view.open("start")
        form = page.locator("form", has=page.get_by_role("heading", name="Pull a model"))
        model, said, dialog, alert = form.get_by_label("Model", exact=True), form.get_by_role("status"), page.get_by_role("dialog"), page.get_by_role("alert")
        gate = Gate(view, "**/check-overload")
        model.fill("keys")
        model.press("Enter")
        expect(said).to_have_text("Starting …")
        gate.wait()
        # Something else meanwhile has to wait, and says so.
        model.fill("large")
        model.press("Enter")
        expect(said).to_have_text("What was asked for before is still being started. Try again once that is done.")
        go(page, "Machine")
        gate.open()
        expect(alert).to_contain_text("Not started, since the machine is busy.")
        expect(dialog).to_have_count(0)
        shoot(page, "not-started")
        alert.get_by_role("button", name="Dismiss").click()
        go(page, "Start")
        expect(said).to_contain_text("Not started, since the machine is busy.")
        model.press("Enter")
        dialog.get_by_role("button", name="Back").click()
        expect(said).to_have_text("Not started.")
        gate = Gate(view, "**/operations/run")
        model.press("Enter")
        dialog.get_by_role("button", name="Start all the same").click()
        gate.wait()
        go(page, "Machine")
        gate.held.pop().fulfill(status=429, content_type="application/problem+json", body=json.dumps({"detail": "The queue is full."}))
        expect(alert).to_contain_text("The queue is full.")
        assert call(server, "GET", ROOT)["operations"] == [], "something was started"
        view.close()


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


def a_readers_place_is_kept(browser, stand_in):
    """However much happens at once, who reads further down in the history or the events stays where they are, and what is new is asked for once."""
    with configured(stand_in) as server:
        for number in range(120):
            finish(server, start(server, f"Load {number}", "seed"))
        for name, address, size in (("History", r"/operations/history\?(?!status=)", 50), ("Events", r"/ports/events\?", 100)):
            view = patient(browser, server.url)
            # Now and then it looks for what is new all the same.
            without_timer(view, 10_000)
            page = view.open(name.lower())
            rows = page.locator("table.stacked tbody tr")
            expect(page.locator("#liveness")).to_have_attribute("data-state", "live")
            expect(rows).to_have_count(size)
            if name == "Events":
                page.get_by_role("button", name="More", exact=True).click()
            else:
                page.mouse.wheel(0, 10_000)
            until(page, lambda: rows.count() >= 2 * size, "another page")
            read = rows.nth(size + 10).element_handle()
            read.evaluate("row => row.scrollIntoView({ block: 'center' })")
            settle(page)
            before = rows.count()
            note = page.locator("section > p[role=status]")
            if name == "History":
                expect(note).to_have_attribute("aria-live", "polite")
            place = read.bounding_box()["y"]
            gate = Gate(view, re.compile(address))
            # More than a page of either.
            finish(server, start(server, "The first of many", "seed"))
            gate.wait()
            for number in range(110):
                finish(server, start(server, f"One of many, {number}", "seed"))
            page.wait_for_timeout(2000)
            assert len(gate.held) == 1, "what is new is asked for twice at a time"
            gate.open()
            until(page, lambda: rows.count() >= before + 111, "all that is new")
            expect(rows.first).to_contain_text("One of many, 109" if name == "History" else "completed")
            if name == "History":
                # What comes by itself is not read out.
                expect(note).to_have_attribute("aria-live", "off")
            assert abs(read.bounding_box()["y"] - place) < 50, f"{name}: what was read has gone from {place} to {read.bounding_box()}"
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



def what_was_asked_before_the_stream_is_not_told_after_it(browser, server):
    """An answer from before there was a stream doesn't overwrite what the stream has said since."""
    view = patient(browser, server.url)
    with_stream(view, "this.breakOff()")
    # It asks once.
    without_timer(view, 2000)
    gate = Gate(view, "**/health")
    page = view.open()
    gate.wait()
    said = {"operations": [], "overload": {"overloaded": False, "message": "", "reasons": []}, "history_health": {"status": "ok", "reason": None}}
    page.evaluate("said => { stream.open(); stream.dispatchEvent(new MessageEvent('snapshot', { data: JSON.stringify(said) })); }", said)
    expect(page.locator("#liveness")).to_have_attribute("data-state", "live")
    gate.open(status=200, content_type="application/json", body=json.dumps({"status": "degraded", "reason": "The disk is full."}))
    settle(page)
    expect(page.get_by_role("alert")).to_have_count(0)
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


def a_second_click_is_not_meant_for_what_comes_there(browser, server):
    """Who clicks twice on Pause has not asked for Resume, which takes its place; a moment later it can be."""
    identity = start(server, "Clicked twice", "seed")
    view = Page(browser, server.url)
    page = view.open()
    shown = card(page, "Clicked twice")
    gate = Gate(view, f"**/{identity}/resume")
    # As soon as there is another button.
    shown.get_by_role("button", name="Pause").evaluate("""pause => {
        const { x, y, width, height } = pause.getBoundingClientRect();
        new MutationObserver(() => {
            const there = document.elementFromPoint(x + width / 2, y + height / 2);
            globalThis.clicked = there.textContent;
            there.click();
        }).observe(pause, { attributeFilter: ['hidden'] });
        pause.click();
    }""")
    page.wait_for_function("() => globalThis.clicked === 'Resume'")
    resume = shown.get_by_role("button", name="Resume")
    expect(resume).not_to_have_attribute("aria-disabled", "true")
    settle(page)
    assert gate.held == [], "it was resumed by the second click"
    gate.is_open = True
    with page.expect_response(f"**/{identity}/resume"):
        resume.click()
    view.close()
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
