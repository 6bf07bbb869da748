"""Very many operations: what they cost the page, and what is not drawn of them."""

import http.client
import json
import os
import re
import threading
import time

from playwright.sync_api import expect
from support import PATIENCE, ROOT, Page, call, finish, start, until


class Feeder(threading.Thread):
    """Moves operations forward, each twice a second, over one connection."""

    def __init__(self, server, ids):
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
        self.ids = ids
        self.over = threading.Event()
        self.updates = 0

    def run(self):
        progress = 0
        while not self.over.is_set():
            progress += 0.5
            begun = time.monotonic()
            for identity in self.ids:
                body = json.dumps({"progress": min(progress, 99), "resource_impact": {"network_mbps": 20 + progress % 7}})
                self.connection.request("POST", f"{ROOT}/{identity}/update", body, {"Content-Type": "application/json"})
                self.connection.getresponse().read()
                self.updates += 1
            self.over.wait(max(0, 0.5 - (time.monotonic() - begun)))

    def stop(self):
        self.over.set()
        self.join()


# How long there is for a frame, in ms.
TURN = 1000 / 60
COUNT_FRAMES = """(name) => { const frame = () => { performance.mark(name); performance.clearMarks(name); requestAnimationFrame(frame); };
    requestAnimationFrame(frame); }"""
COUNT_WORDS_SAID = """() => { window.said = []; window.announced = [];
    const announcer = document.getElementById('announcer');
    new MutationObserver(() => window.announced.push(announcer.textContent)).observe(announcer, { childList: true, characterData: true, subtree: true });
    const observer = new MutationObserver((changes) => { for (const { target } of changes) window.said.push(target.textContent); });
    for (const node of document.querySelectorAll('[aria-live], [role=status], [role=alert]'))
        observer.observe(node, { childList: true, characterData: true, subtree: true }); }"""


class Frames:
    """The frames of a page while something was done before it, and what they have cost it."""

    def __init__(self, events, name, spent):
        marks = sorted((event["ts"], event["tts"], event["pid"]) for event in events if event["name"] == name)
        assert len(marks) > 1, f"no frames of the {name} page in {len(events)} events"
        # How long each was shown, and for how long the page's thread had the processor meanwhile, in ms: waiting for that doesn't count.
        self.gaps = sorted((next[0] - one[0]) / 1000 for one, next in zip(marks, marks[1:]))
        costs = [(next[1] - one[1]) / 1000 for one, next in zip(marks, marks[1:])]
        self.cost = sum(costs) / len(costs)
        # What the page's process does beside that for a frame, and the one that puts its picture together, in ms: painting.
        painters = sum(seconds for (kind, pid), seconds in spent.items() if kind == "GPU" or pid == marks[0][2])
        self.painting = max(0, 1000 * painters / len(marks) - self.cost)
        # The share of frames that it would have dropped on a machine of its own: those whose turn had passed by its work alone.
        self.dropped = sum(int(cost / TURN) for cost in costs) * TURN / (marks[-1][0] - marks[0][0]) * 1000

    def __len__(self):
        return len(self.gaps)

    @property
    def median(self):
        return self.gaps[len(self.gaps) // 2]


def frames_of(pages, work):
    """The frames of some pages, each by its name, while the same work was done before them."""
    for each in pages.values():
        each.mouse.move(200, 400)
        each.evaluate("scrollTo(0, 0)")
    browser = next(iter(pages.values())).context.browser
    session = browser.new_browser_cdp_session()
    processes = lambda: {(process["type"], process["id"]): process["cpuTime"] for process in session.send("SystemInfo.getProcessInfo")["processInfo"]}
    browser.start_tracing(categories=["blink.user_timing"])
    before = processes()
    work()
    spent = {process: seconds - before[process] for process, seconds in processes().items() if process in before}
    events = json.loads(browser.stop_tracing())["traceEvents"]
    session.detach()
    return [Frames(events, name, spent) for name in pages]


def five_hundred_operations(browser, server):
    """Five hundred operations that all move don't drop frames, and aren't read out one by one.

    How many frames a machine can show depends on what else it does. So a page with five hundred boxes that stand still counts its
    frames at the same time, at rest and while both are scrolled, and what is asked for is that the dashboard shows as many. Where
    so much else runs that it doesn't, since it needs the processor and the other page hardly does, it is judged by its own work,
    by the time for which its thread had the processor: for that alone one frame in twenty may be missing at most. Either way
    painting one is to take less time than there is for it.
    """
    ids = [start(server, f"Load {number}", "seed") for number in range(500)]
    view = Page(browser, server.url)
    idle = browser.new_context().new_page()
    idle.set_content("<p style='height: 8rem; border: 1px solid'>A box</p>" * 500)
    page = view.open()
    expect(page.locator("article.card")).to_have_count(500)
    feeder = Feeder(server, ids)
    feeder.start()
    moved = page.locator("article.card .percent").first
    expect(moved).to_have_text(re.compile("^[1-9]"))
    page.evaluate(COUNT_WORDS_SAID)
    pages = {"dashboard": page, "still": idle}
    for name, each in pages.items():
        each.evaluate(COUNT_FRAMES, name)
    scroll = lambda: [(each.mouse.wheel(0, 200), page.wait_for_timeout(60)) for each in (idle, page)]
    for what, do in (("at rest", lambda: page.wait_for_timeout(100)), ("scrolled", scroll)):
        is_cheap = False
        # A page that can't keep up never does; one that another program takes the processor from does at another time.
        for _ in range(5):
            before, begun = feeder.updates, time.monotonic()

            def work():
                # On a slow machine it takes longer until as much has moved.
                while time.monotonic() - begun < 6 or feeder.updates - before < 1500:
                    assert time.monotonic() - begun < PATIENCE, f"only {feeder.updates - before} updates were made, so nothing is shown by this"
                    do()

            shown, possible = frames_of(pages, work)
            share = len(shown) / len(possible)
            is_cheap = is_cheap or (shown.dropped < 0.05 and shown.painting < TURN)
            slow = sum(gap > 3 * possible.median for gap in shown.gaps) / len(shown)
            told = (
                f"{what}, {feeder.updates - before} updates of 500 operations: {len(shown)} frames where a page that stands still had {len(possible)} ({share:.0%});"
                f" median {shown.median:.1f} ms, 95 of 100 within {shown.gaps[len(shown) * 95 // 100]:.1f} ms, {slow:.1%} of more than three turns;"
                f" {shown.cost:.1f} ms of work for each and {shown.painting:.1f} ms of painting, by which alone {shown.dropped:.0%} were dropped"
            )
            print(f"  {told}")
            if share > 0.9 and shown.painting < TURN:
                break
            page.wait_for_timeout(2000)
        else:
            assert is_cheap, told
            print(f"  {what}, this machine is busy with other things (load {os.getloadavg()[0]:.1f}), so what a frame costs is looked at alone")
    feeder.stop()
    said = page.evaluate("window.said")
    assert len(said) <= 2, f"this was read out while nothing began or ended: {said}"
    idle.context.close()
    for identity in ids:
        finish(server, identity)
    expect(page.locator("article.card")).to_have_count(0, timeout=120_000)
    # The last few of them may be told by their names.
    page.wait_for_function("window.announced.some((text) => text.includes('operations have ended'))")
    # Their beginnings and endings alone are a thousand.
    page.get_by_role("link", name="Events").click()
    rows = page.locator("table tbody tr")
    for count in range(100, 1000, 100):
        expect(rows).to_have_count(count)
        page.get_by_role("button", name="More").click()
    expect(page.get_by_text("The newest 1000 are shown.")).to_be_visible()
    expect(page.get_by_role("button", name="More")).to_have_count(0)
    identity = start(server, "One more")
    expect(rows.first).to_contain_text("One more")
    expect(rows).to_have_count(1000)
    finish(server, identity)
    view.close()


def what_is_out_of_sight_is_drawn_when_it_comes_into_view(browser, server):
    """A card far down costs nothing while it merely moves on; a step is shown at once, and all of it once it is looked at."""
    ids = [start(server, f"Card {number}") for number in range(60)]
    view = Page(browser, server.url)
    page = view.open()
    last = page.locator(f"[data-id={ids[-1]}]")
    expect(page.locator("article.card")).to_have_count(60)
    last.evaluate("""node => { window.written = 0; window.observer = new MutationObserver((changes) => { window.written += changes.length; });
        window.observer.observe(node, { attributes: true, childList: true, characterData: true, subtree: true }); }""")

    def is_drawn():
        """Whether it has been seen by now that the last card is out of sight, and nothing is left to be written in it."""
        page.evaluate("window.written = 0")
        page.wait_for_timeout(500)
        return page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(window.written === 0))))")

    until(page, is_drawn, "a last card that stands still")
    move = lambda identity, progress: call(server, "POST", f"{ROOT}/{identity}/update", {"progress": progress})
    for progress in range(1, 6):
        for identity in (ids[0], ids[-1]):
            move(identity, 10 * progress)
        expect(page.locator(f"[data-id={ids[0]}] .percent")).to_have_text(f"{10 * progress} %")
    assert page.evaluate("window.written") == 0, "what nobody sees was drawn"
    call(server, "POST", f"{ROOT}/{ids[-1]}/pause")
    expect(last.locator(".status")).to_have_text("pausing")
    move(ids[-1], 60)
    last.scroll_into_view_if_needed()
    expect(last.locator(".percent")).to_have_text("60 %")
    move(ids[-1], 70)
    expect(last.locator(".percent")).to_have_text("70 %")
    for identity in ids:
        finish(server, identity)
    view.close()
