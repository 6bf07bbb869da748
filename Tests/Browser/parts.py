"""Parts of the page by themselves."""

import itertools
import json
import re

from playwright.sync_api import expect
from support import ROOT, Page, call, card, check_accessibility, finish, shoot, start, until, until_quiet, without_timer


def an_address_that_leads_nowhere_shows_what_runs(browser, server):
    """A view that there isn't, even one with a name that every object has, is the first one."""
    view = Page(browser, server.url)
    for name in ("constructor", "toString", "nothing"):
        page = view.open(name)
        page.reload()
        expect(page.get_by_role("heading", name="Running")).to_be_visible()
        expect(page.get_by_role("link", name="Running")).to_have_attribute("aria-current", "page")
    view.close()


def dots_differ_by_shape(browser, server):
    """Series of dots are told apart without their colours, however many there are, and no number of points is too large."""
    view = Page(browser, server.url)
    # The view's own plots, drawn every two seconds, would take the place of the test's.
    without_timer(view, 2000)
    page = view.open("machine")
    expect(page.locator("figure.plot .drawing svg").first).to_be_visible()
    marks = page.evaluate(
        """async () => {
            const { plot } = await import('/assets/plot.js');
            const series = Array.from({ length: 12 }, (_, index) => ({ name: `type ${index}`, kind: 'dots', points: [[index, 1 + index], [20 - index, 2]] }));
            const figure = plot({ title: 'Shapes', unit: 's', series });
            document.querySelector('main .plots').replaceChildren(figure);
            while (!figure.querySelector('.drawing .dot')) await new Promise(requestAnimationFrame);
            const shape = (mark) => mark.getAttribute('d').replace(/^M[^a-z]*/, '');
            return [...figure.querySelectorAll('.key path')].map((mark, index) => {
                const drawn = figure.querySelectorAll('.drawing .dot')[2 * index];
                return [shape(mark), mark.getAttribute('class'), shape(drawn), drawn.getAttribute('class')];
            });
        }"""
    )
    assert len({shape for shape, *_ in marks[:6]}) == 6, "the first six have the same shape"
    assert len({(shape, colour) for shape, colour, *_ in marks}) == 12, "two of twelve look the same"
    assert all(mark[:2] == mark[2:] for mark in marks), "the legend shows another mark than the plot"
    shoot(page, "shapes")
    page.evaluate(
        """async () => {
            const { plot } = await import('/assets/plot.js');
            const figure = plot({ title: 'Many', unit: 's', series: [{ name: 'all', kind: 'line', points: Array.from({ length: 300_000 }, (_, index) => [index, index]) }] });
            document.querySelector('main .plots').replaceChildren(figure);
            while (!figure.querySelector('.drawing .line')) await new Promise(requestAnimationFrame);
        }"""
    )
    view.close()


def remaining_times_stand_still(browser, server):
    """A time remaining that sways about a step, as estimates do, is told as the same range; one that falls is told anew."""
    view = Page(browser, server.url)
    page = view.open()
    say = lambda seconds: page.evaluate(
        """async (seconds) => {
            const { remaining, remainingRange } = await import('/assets/format.js');
            let range = null;
            return seconds.map((expected) => {
                const operation = { status: 'in_progress', eta_low_seconds: 0.8 * expected, eta_seconds: expected, eta_high_seconds: 1.25 * expected };
                range = remainingRange(operation, range);
                return remaining(operation, range);
            });
        }""",
        seconds,
    )
    swaying = say([100 + 4 * (-1) ** number for number in range(20)])
    assert len(set(swaying)) == 1, f"it jumps: {swaying}"
    falling = say(list(range(600, 0, -1)))
    changes = sum(one != next for one, next in zip(falling, falling[1:]))
    assert falling[0] == "7 to 15 min left" and falling[-1] == "less than 2 s left", f"{falling[0]} … {falling[-1]}"
    assert len(set(falling)) == changes + 1, "a range that was left comes back"
    # From 1.5 to 2.4 days: no range is told that is narrower.
    assert say([1.9 * 86400]) == ["1 to 3 d left"], say([1.9 * 86400])
    view.close()


def a_sparkline_keeps_time(browser, server):
    """Speeds stand where their time is, however many events there were."""
    view = Page(browser, server.url)
    page = view.open()
    places = page.evaluate(
        """async () => {
            const { Sparkline } = await import('/assets/sparkline.js');
            const sparkline = new Sparkline();
            sparkline.show([[0, 1], [1, 2], [2, 1], [10, 4]]);
            return sparkline.node.querySelector('.line').getAttribute('points').split(' ').map((point) => Number(point.split(',')[0]));
        }"""
    )
    assert places == [0, 12, 24, 120], places
    kept = page.evaluate(
        """async () => {
            const { Store } = await import('/assets/store.js');
            const store = new Store(async () => null);
            let now = 0;
            performance.now = () => now;
            for (; now <= 200_000; now += 200) {
                store.take({ name: 'updated', data: { operation_id: 'a', status: 'in_progress', resource_impact: { network_mbps: now } } });
            }
            return store.speeds.get('a');
        }"""
    )
    assert [second for second, _ in kept] == list(range(140, 201)), "not one speed for each second of the last minute"
    view.close()


def plots_go_on_once_their_table_is_closed(browser, server):
    """A plot stands still, and says so, while its table is read, and beside others; closed, it goes on, and keeps the focus."""
    view = Page(browser, server.url)
    now = call(server, "GET", "/api/ports/resources/history")["history"]
    points = []

    def answer(route):
        point = {**now[-1], "timestamp": f"2026-01-01T00:{len(points) // 60:02}:{len(points) % 60:02}.000Z", "cpu_percent": len(points), "memory_used_mb": 1024 * len(points)}
        points.append(point)
        route.fulfill(status=200, content_type="application/json", body=json.dumps({"history": points}))

    view.page.route("**/resources/history", answer)
    page = view.open("machine")
    figure = lambda name: page.locator("figure.plot", has=page.get_by_text(name, exact=True))
    machine, memory = figure("CPU of the machine"), figure("Memory")
    told = lambda place: place.locator("svg[role=img]").get_attribute("aria-label")
    moves = lambda place: expect(place.locator("svg[role=img]")).not_to_have_attribute("aria-label", told(place))
    summary = machine.locator("summary")
    moves(machine)
    summary.click()
    before = told(machine)
    moves(memory)
    moves(memory)
    assert told(machine) == before, "it goes on under the eyes of who reads its table"
    expect(machine.get_by_text("stands still")).to_be_visible()
    shoot(page, "plot-table")
    summary.click()
    moves(machine)
    moves(machine)
    expect(summary).to_be_focused()
    summary.press("Enter")
    expect(machine.get_by_role("cell").first).to_have_text(re.search(r"machine: (\d+) %", told(machine)).group(1))
    expect(summary).to_be_focused()
    check_accessibility(page, "a plot with its table")
    view.close()


def many_endings_are_not_asked_for(browser, server):
    """Of work of another process that is gone, a few are asked after; of very many none, and none of them stays."""
    view = Page(browser, server.url)
    page = view.open()
    asked, left = page.evaluate(
        """async () => {
            const { Store } = await import('/assets/store.js');
            let asked = 0;
            const store = new Store(async () => { asked += 1; return null; });
            const operation = (id) => ({ operation_id: `op_${id}`, status: 'in_progress', updated_at: '2026-01-01T00:00:00.000Z', resource_impact: {} });
            const counts = [];
            for (const count of [3, 300]) {
                const active = Array.from({ length: count }, (_, id) => operation(id));
                store.takeHistory(active);
                store.takeHistory(active);
                store.takeHistory([]);
                counts.push(asked);
                await new Promise((done) => setTimeout(done));
            }
            return [counts, store.operations.size];
        }"""
    )
    assert asked == [3, 3] and left == 0, f"asked for {asked}, {left} left"
    view.close()


def what_went_wrong_can_be_dismissed_over_a_dialog(browser, server):
    """A complaint can be read and dismissed while a dialog is open, whichever came first; a name pressed twice opens one."""
    identity = start(server, "Look at me")
    view = Page(browser, server.url)
    page = view.open()
    complain = lambda: page.evaluate("import('/assets/dialog.js').then(({ complain }) => complain('Something went wrong.'))")
    name = card(page, "Look at me").get_by_role("button", name="Look at me")
    alert, dialog = page.get_by_role("alert"), page.get_by_role("dialog")
    complain()
    name.evaluate("button => { button.click(); button.click(); }")
    expect(dialog).to_be_visible()
    page.wait_for_timeout(500)
    expect(dialog).to_have_count(1)
    alert.get_by_role("button", name="Dismiss").click()
    expect(alert).to_have_count(0)
    complain()
    expect(alert).to_be_visible()
    check_accessibility(page, "a complaint over a dialog")
    shoot(page, "complaint")
    page.evaluate("import('/assets/dialog.js').then(({ confirmed }) => { confirmed('On top?', [], 'Yes'); })")
    expect(page.get_by_role("heading", name="On top?")).to_be_visible()
    # What is asked next has nothing to do with it.
    expect(alert).to_have_count(0)
    complain()
    twice = page.evaluate("[...document.querySelectorAll('[id]')].map(({ id }) => id).filter((id, index, all) => all.indexOf(id) !== index)")
    assert not twice, f"ids that are there twice: {twice}"
    for count in (1, 0):
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(count)
    alert.get_by_role("button", name="Dismiss").click()
    expect(alert).to_have_count(0)
    finish(server, identity)
    view.close()


def what_ended_under_a_question_is_told(browser, server):
    """Where the work ends before its cancelling is confirmed, that is said, and the focus goes on when the button is gone."""
    identity = start(server, "Soon over")
    view = Page(browser, server.url)
    view.tolerated = ("409",)
    page = view.open()
    card(page, "Soon over").get_by_role("button", name="Cancel").click()
    finish(server, identity)
    expect(card(page, "Soon over")).to_have_count(0)
    page.get_by_role("dialog").get_by_role("button", name="Cancel it").click()
    expect(page.get_by_role("alert")).to_contain_text("it has ended")
    expect(page.locator("#main")).to_be_focused()
    view.close()


def progress_asks_for_no_events(browser, server):
    """While work merely moves on, the log of events is not asked for again and again; a step is there at once."""
    identity = start(server, "Moves on")
    view = Page(browser, server.url)
    asked = []
    view.page.on("request", lambda request: "/api/ports/events" in request.url and asked.append(request.url))
    # Now and then it looks all the same.
    without_timer(view, 10_000)
    page = view.open("events")
    rows = page.locator("table tbody tr")
    expect(rows.first).to_contain_text("Moves on")
    expect(page.locator("#liveness")).to_have_attribute("data-state", "live")

    until_quiet(page, asked, 2500)
    progress = itertools.count(1)

    def moves_unasked():
        before = len(asked)
        for _ in range(24):
            call(server, "POST", f"{ROOT}/{identity}/update", {"progress": min(99, 0.5 * next(progress))})
            page.wait_for_timeout(200)
        return len(asked) == before

    # A page that has lost its server meanwhile, since that stood still, looks once when it is back.
    until(page, moves_unasked, "five seconds of progress in which no events were asked for")
    finish(server, identity)
    expect(rows.first).to_contain_text("completed")
    view.close()
