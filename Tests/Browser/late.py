"""Answers that come late: after the person has gone on, or after a newer one. What was asked for meanwhile is not lost without a word."""

import json
import re
import signal

from held import Gate, go, patient, settle
from liveness import with_stream
from playwright.sync_api import expect
from support import PATIENCE, ROOT, Page, call, card, configured, finish, free_port, keep_ended, let_ended_go, read_on, shoot, squatting, start, until, until_none, with_services, without_timer


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
                read_on(page, rows, 2 * size)
            expect(rows.nth(2 * size - 1)).to_be_attached()
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
            until_none(page, lambda: abs((now := read.bounding_box()["y"]) - place) >= 50 and f"{name}: what was read has gone from {place} to {now}")
            view.close()


def what_has_the_focus_moves_no_reader(browser, stand_in):
    """Whoever has scrolled away from what has the focus stays there when that is drawn anew or goes, and the focus goes on with it."""
    with configured(stand_in) as server:
        finish(server, start(server, "Over", "seed"))
        ids = [start(server, f"Run {number}", "seed") for number in range(16)]
        view = patient(browser, server.url, viewport={"width": 390, "height": 500})
        keep_ended(view)
        page = view.open("history")
        expect(page.locator("#liveness")).to_have_attribute("data-state", "live")

        def leave(there, edge):
            there.focus()
            page.evaluate("edge => scrollTo(0, edge === 'top' ? 0 : document.documentElement.scrollHeight)", edge)
            expect(there).not_to_be_in_viewport()
            finish(server, ids.pop())

        def is_still_away(focused):
            expect(focused).to_be_focused()
            expect(focused).not_to_be_in_viewport()

        rows = page.locator("table.history tbody tr")
        expect(rows).to_have_count(17)
        # What lies above the list is there before.
        expect(page.get_by_role("region", name="How often and how long")).to_be_visible()
        expect(page.locator("figure")).not_to_have_count(0)
        leave(rows.first.get_by_role("button"), "bottom")
        # It is drawn anew once its end is known.
        expect(rows.first.locator("time")).to_have_count(2)
        is_still_away(rows.first.get_by_role("button"))
        page.get_by_role("combobox", name="Status").select_option("in_progress")
        expect(rows).to_have_count(15)
        leave(rows.first.get_by_role("button"), "bottom")
        expect(rows).to_have_count(14)
        is_still_away(page.get_by_role("button", name="Run 13", exact=True))
        go(page, "Running")
        last = card(page, "Run 13")
        leave(last.get_by_role("button", name="Pause"), "top")
        is_still_away(last.get_by_role("button", name="Run 13", exact=True))
        let_ended_go(page)
        expect(last).to_have_count(0)
        is_still_away(card(page, "Run 12").get_by_role("button", name="Run 12", exact=True))
        for identity in ids:
            finish(server, identity)
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
