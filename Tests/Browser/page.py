"""The page itself: how it looks, who gets in, what it says when its server is gone, and that a keyboard is enough."""

import json
import os
import re
import signal
import subprocess
import tempfile
import urllib.request

from playwright.sync_api import expect
from support import PATIENCE, ROOT, Page, call, card, check_accessibility, free_port, scripted, serve, shoot, squat, tab_to, until, until_none


# What each view shows once it has what it asked the server for.
SETTLED = {
    "operations": "article.card",
    "start": "form.start",
    "machine": "figure.plot",
    "ports": "section:has(h2) p[role=status]:not(:empty):not(:has-text('Looking'))",
    "history": "table.history tbody tr",
    "events": "table tbody tr",
}


TOO_WIDE = """() => { const screen = document.documentElement.clientWidth;
    return document.documentElement.scrollWidth <= screen ? [] : [...document.querySelectorAll('body *')]
        .filter((node) => node.getBoundingClientRect().right > screen + 1 && !node.parentElement.closest('.scroll'))
        .map((node) => `${node.tagName} ${node.className} ${Math.round(node.getBoundingClientRect().right - screen)} px`); }"""


# What would be an image that can't be loaded, and then a script, if a text were ever taken for HTML.
HOSTILE = "<img src=x onerror=document.title='taken'>"


def every_view_looks_right(browser, server):
    """Every view, in light, dark, on a phone and in forced colours: no violation of axe's rules, nothing wider than the screen."""
    kinds = [("pull_model", "Pull llama3.2", 1900), ("seed", "Seed 18 icons", None), ("install", "Set up the OK gateway", None), ("download", "Fetch weights.bin", 640)]
    ids = []
    for number, (kind, name, size) in enumerate(kinds):
        body = {"operation_type": kind, "description": name, **({"total_size_mb": size} if size else {})}
        ids.append(call(server, "POST", ROOT + "/start", body)["operation_id"])
        call(server, "POST", f"{ROOT}/{ids[-1]}/update", {"progress": 20 + 17 * number, "resource_impact": {"cpu_percent": 12, "memory_mb": 300, "network_mbps": 80}})
    for name, ending in (("Install a part", {}), ("Install another", {"error": "The disk is full."})):
        identity = call(server, "POST", ROOT + "/start", {"operation_type": "install", "description": name})["operation_id"]
        call(server, "POST", f"{ROOT}/{identity}/complete", ending)
    ids.append(call(server, "POST", ROOT + "/start", {"operation_type": "install", "description": HOSTILE})["operation_id"])
    call(server, "POST", f"{ROOT}/{ids[-1]}/update", {"error": HOSTILE})
    looks = {
        "light": {"color_scheme": "light"},
        "dark": {"color_scheme": "dark"},
        "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}},
        "narrow": {"color_scheme": "dark", "viewport": {"width": 320, "height": 640}},
        "forced": {"forced_colors": "active"},
    }
    for look, options in looks.items():
        view = Page(browser, server.url, reduced_motion="reduce", **options)
        for name, settled in SETTLED.items():
            page = view.open(name)
            expect(page.locator(settled).first).to_be_visible()
            if name == "operations":
                for identity in ids:
                    expect(page.locator(f"[data-id={identity}]")).to_be_visible()
            check_accessibility(page, f"{name}, {look}")
            assert page.locator("[onerror]").count() == 0, f"{name}: a text was taken for HTML"
            if name in ("operations", "history", "events"):
                expect(page.get_by_text(HOSTILE).first).to_be_visible()
            until_none(page, lambda: [f"{name}, {look}: {wide}" for wide in page.evaluate(TOO_WIDE)])
            moving = page.evaluate("document.getAnimations().length")
            assert moving == 0, f"{name}, {look}: {moving} things move although less motion was asked for"
            shoot(page, f"{name}-{look}")
        view.close()
    for identity in ids[:-1]:
        call(server, "POST", f"{ROOT}/{identity}/complete")
    call(server, "POST", f"{ROOT}/{ids[-1]}/complete", {"error": HOSTILE})
    view = Page(browser, server.url)
    page = view.open("history")
    page.get_by_role("button", name=HOSTILE).click()
    expect(page.get_by_role("dialog").locator("p.error")).to_have_text(HOSTILE)
    assert page.locator("[onerror]").count() == 0, "a text was taken for HTML"
    view.close()


def texts_are_never_taken_for_html(browser, server):
    """Whatever work says of itself, its phase and its message too, is shown as the text that it is."""
    identity = call(server, "POST", ROOT + "/start", {"operation_type": "install", "description": HOSTILE})["operation_id"]
    like = call(server, "GET", f"{ROOT}/{identity}")
    call(server, "POST", f"{ROOT}/{identity}/complete")
    texts = {name: f"{HOSTILE} {name}" for name in ("description", "message", "phase", "error", "error_code", "node")}
    operation = {**like, **texts, "operation_id": "op_hostile", "phases": [{"phase": HOSTILE, "seconds": 1}], "result": {HOSTILE: HOSTILE}}
    view = Page(browser, server.url)
    view.page.route("**/operations/op_hostile", lambda route: route.fulfill(status=200, content_type="application/json", body=json.dumps(operation)))
    page = scripted(view, [operation])
    shown = page.locator("[data-id=op_hostile]")
    for name in ("description", "message", "phase", "error"):
        expect(shown.get_by_text(texts[name])).to_be_visible()
    shown.get_by_role("button", name=texts["description"]).click()
    dialog = page.get_by_role("dialog")
    for name in ("description", "phase", "error", "error_code", "node"):
        expect(dialog.get_by_text(texts[name], exact=True)).to_be_visible()
    dialog.get_by_text("As JSON").click()
    expect(dialog.locator("pre")).to_contain_text(HOSTILE)
    assert page.locator("[onerror]").count() == 0, "a text was taken for HTML"
    assert page.title() == "Running · Operations"
    page.get_by_role("link", name="Start").evaluate("link => link.click()")
    expect(dialog).to_have_count(0)
    view.close()


def a_name_that_cannot_be_seen_is_none(browser, server):
    """What is named by blanks, or by signs without a picture, goes by its type, so that it can be seen, pressed and heard of."""
    ids = [call(server, "POST", ROOT + "/start", {"operation_type": "install", "description": name})["operation_id"] for name in ("   ", "\u200b\u2060")]
    view = Page(browser, server.url)
    page = view.open()
    for identity in ids:
        expect(page.locator(f"[data-id={identity}]").get_by_role("button", name="install", exact=True)).to_be_visible()
    check_accessibility(page, "names that can't be seen")
    page.locator(f"[data-id={ids[0]}]").get_by_role("button", name="install", exact=True).click()
    expect(page.get_by_role("dialog", name="install")).to_be_visible()
    check_accessibility(page, "the details of such a one")
    for identity in ids:
        call(server, "POST", f"{ROOT}/{identity}/complete")
    page.get_by_role("button", name="Close").click()
    page.get_by_role("link", name="History").click()
    expect(page.locator("table.history tbody tr").first.get_by_role("button", name="install", exact=True)).to_be_visible()
    view.close()


def keyboard_alone(browser, server):
    """Past the links, to a form and into an operation that is paused, resumed and cancelled: without a mouse."""
    view = Page(browser, server.url)
    page = view.open()
    main = page.locator("#main")
    expect(page.locator("#liveness")).to_have_attribute("data-state", "live")
    tab_to(page, "Start")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Pull a model")).to_be_visible()
    expect(main).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type("keys")
    page.keyboard.press("Enter")
    expect(page.locator("form", has_text="Pull a model").get_by_role("status")).to_contain_text("Started")
    tab_to(page, "Watch it")
    page.keyboard.press("Enter")
    pulled = card(page, "Pull keys")
    expect(pulled.locator(".percent")).to_have_text(re.compile("^[1-9]"))
    tab_to(page, "Pause")
    page.keyboard.press("Enter")
    expect(pulled.locator(".status")).to_have_text("paused")
    expect(pulled.get_by_role("button", name="Resume")).to_be_focused()
    page.keyboard.press("Enter")
    expect(pulled.locator(".status")).to_have_text("running")
    tab_to(page, "Cancel")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(pulled.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    tab_to(page, "Cancel it")
    page.keyboard.press("Enter")
    expect(pulled.locator(".status")).to_have_text("cancelled")
    expect(page.locator("#announcer")).to_contain_text("Pull keys cancelled")
    expect(pulled).to_have_count(0)
    page.evaluate("document.activeElement.blur()")
    page.get_by_role("link", name="Machine").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Machine")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Machine")).to_be_visible()
    tab_to(page, "Skip to the content")
    page.keyboard.press("Enter")
    expect(main).to_be_focused()
    assert page.url.endswith("#/machine"), "the skip link leads elsewhere"
    view.close()


def a_conflict_is_killed_and_healed(browser):
    """A port in the wrong hands is found; its holder is killed, another restarted over, another healed, each after asking."""
    with tempfile.TemporaryDirectory() as data:
        port = free_port()
        registry = os.path.join(data, "services.json")
        command = f"exec /usr/bin/python3 -m http.server {port} --bind 127.0.0.1"
        with open(registry, "w") as file:
            json.dump({"services": [{"name": "web", "port": port, "process_name": "node", "startup_cmd": command}]}, file)
        server = serve(data, None)
        squatters = []
        try:
            view = Page(browser, server.url)
            held = []
            hold = lambda route: held.append(route)
            view.page.route("**/api/ports/status", hold)
            page = view.open("ports")
            expect(page.get_by_role("button", name="Check")).to_be_visible()
            expect(page.get_by_role("button", name="Heal all")).to_have_count(0)
            until(page, lambda: held, "the request")
            held.pop().continue_()
            page.unroute("**/api/ports/status")
            status = page.locator("section > p[role=status]")
            conflict = page.locator("article.conflict")
            row = page.locator("tbody tr")
            expect(status).to_have_text("Every port is held by the service it belongs to, or free.")
            for action, name, verdict in (("Kill", re.compile("Kill python"), "stopped"), ("Restart", "Restart", "running")):
                squatters.append(squat(port))
                page.get_by_role("button", name="Check", exact=True).click()
                expect(conflict).to_contain_text(f"(pid {squatters[-1].pid}); node should hold it")
                check_accessibility(page, "ports with a conflict")
                shoot(page, "ports-conflict")
                conflict.get_by_role("button", name=action).click()
                dialog = page.get_by_role("dialog")
                expect(dialog).to_contain_text(str(squatters[-1].pid))
                dialog.get_by_role("button", name="Back").click()
                assert squatters[-1].poll() is None, "it was ended without being confirmed"
                conflict.get_by_role("button", name=action).click()
                dialog.get_by_role("button", name=name).click()
                expect(status).to_contain_text("Every port is held by the service it belongs to", timeout=90_000)
                expect(conflict).to_have_count(0)
                expect(row.locator(".status")).to_have_text(verdict)
                assert squatters[-1].wait(timeout=PATIENCE) == -signal.SIGTERM
            row.get_by_role("button", name="Stop").click()
            page.route("**/api/ports/stop", hold)
            page.get_by_role("dialog").get_by_role("button", name="Stop").click()
            until(page, lambda: held, "the request")
            buttons = page.get_by_role("region", name="Services").or_(page.locator("section > .actions")).get_by_role("button")
            expect(buttons).not_to_have_count(0)
            for button in buttons.all():
                expect(button).to_be_disabled()
            held.pop().continue_()
            expect(row.locator(".status")).to_have_text("stopped")
            expect(page.get_by_role("button", name="Check", exact=True)).to_be_focused()
            squatters.append(squat(port))
            page.get_by_role("button", name="Check", exact=True).click()
            page.get_by_role("button", name="Heal all").click()
            page.get_by_role("dialog").get_by_role("button", name="Heal").click()
            expect(status).to_contain_text("1 of 1 services put right.", timeout=90_000)
            expect(row.locator(".status")).to_have_text("running")
            view.close()
        finally:
            call(server, "POST", "/api/ports/stop", {"service_name": "web"})
            server.stop()
            for process in squatters:
                if process.poll() is None:
                    process.kill()
                process.wait()


def why_a_service_failed_can_be_read(browser):
    """Why a service is as it is stands beside its status, and stays when the message is dismissed."""
    with tempfile.TemporaryDirectory() as data:
        with open(os.path.join(data, "services.json"), "w") as file:
            json.dump({"services": [{"name": "web", "port": free_port(), "startup_cmd": "echo The paper is out.; exit 3"}]}, file)
        server = serve(data, None)
        try:
            view = Page(browser, server.url)
            view.tolerated = ("500", "502", "503", "504", "409")
            page = view.open("ports")
            row = page.get_by_role("region", name="Services").get_by_role("row").last
            row.get_by_role("button", name="Start").click()
            page.get_by_role("alert").get_by_role("button", name="Dismiss").click()
            expect(row.locator(".status")).to_have_text("failed")
            expect(row.get_by_text("The paper is out.")).to_be_visible()
            check_accessibility(page, "a service that failed")
            shoot(page, "ports-failed")
            view.close()
        finally:
            server.stop()


SHARE = """import socket, sys, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen()
print("there", flush=True)
time.sleep(600)"""


def only_who_was_shown_is_ended(browser):
    """All who hold a port are named before they are ended; where another has come meanwhile, that is said and nobody harmed."""
    with tempfile.TemporaryDirectory() as data:
        port = free_port()
        command = f"exec /usr/bin/python3 -m http.server {port} --bind 127.0.0.1"
        with open(os.path.join(data, "services.json"), "w") as file:
            json.dump({"services": [{"name": "web", "port": port, "process_name": "node", "startup_cmd": command}]}, file)
        server = serve(data, None)
        sharers = []

        def share():
            process = subprocess.Popen(["/usr/bin/python3", "-c", SHARE, str(port)], stdout=subprocess.PIPE)
            process.stdout.readline()
            sharers.append(process)

        try:
            share(), share()
            view = Page(browser, server.url)
            view.tolerated = ("409",)
            page = view.open("ports")
            conflict, dialog, alert = page.locator("article.conflict"), page.get_by_role("dialog"), page.get_by_role("alert")
            row = page.get_by_role("region", name="Services").get_by_role("row").last
            status = page.locator("section > p[role=status]")
            for action, place, go in (("Kill", conflict, "Kill all"), ("Restart", conflict, "Restart"), ("Restart", row, "Restart"), ("Heal all", page, "Heal")):
                for process in sharers:
                    expect(conflict).to_contain_text(f"(pid {process.pid})")
                    expect(row).to_contain_text(str(process.pid))
                place.get_by_role("button", name=action).click()
                for process in sharers:
                    expect(dialog).to_contain_text(str(process.pid))
                share()
                dialog.get_by_role("button", name=go).click()
                is_answered = action == "Heal all"
                said = status if is_answered else alert
                expect(said).to_contain_text(f"(pid {sharers[-1].pid}) by now, which wasn't there before")
                assert all(process.poll() is None for process in sharers), "somebody was ended"
                if not is_answered:
                    alert.get_by_role("button", name="Dismiss").click()
            expect(conflict).to_contain_text(f"(pid {sharers[-1].pid})")
            conflict.get_by_role("button", name="Kill").click()
            dialog.get_by_role("button", name=f"Kill all {len(sharers)}").click()
            expect(status).to_contain_text("Every port is held by the service it belongs to")
            assert all(process.wait(timeout=PATIENCE) == -signal.SIGTERM for process in sharers)
            view.close()
        finally:
            server.stop()
            for process in sharers:
                process.kill()
                process.wait()


def content_policy(server):
    """The page may load nothing from elsewhere and run nothing inline."""
    with urllib.request.urlopen(server.url + "/") as answer:
        policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy and "default-src 'none'" in policy, policy


def long_names_stay_in_their_cards(browser, server):
    """Names and types of any length keep a card within the narrowest screens; signs that turn a text round are shown."""
    starts = [("install", "L" * 1000), ("x" * 64, "Of a long type"), ("install", "a\u202etxt.exe")]
    ids = [call(server, "POST", ROOT + "/start", {"operation_type": kind, "description": name})["operation_id"] for kind, name in starts]
    view = Page(browser, server.url)
    page = view.open()
    expect(page.get_by_role("heading", name="a⟨U+202E⟩txt.exe")).to_be_visible()
    for identity in ids:
        expect(page.locator(f"[data-id={identity}]")).to_be_visible()
    outside = """() => [...document.querySelectorAll('article.card *')].filter((node) => node.offsetParent &&
        node.getBoundingClientRect().right > node.closest('article.card').getBoundingClientRect().right + 1).map((node) => `${innerWidth} px: ${node.className}`)"""
    for width in (390, 320, 240):
        page.set_viewport_size({"width": width, "height": 844})
        page.wait_for_function("width => innerWidth === width", arg=width)
        until_none(page, lambda: page.evaluate(outside))
        shoot(page, f"long-{width}")
    page.goto(f"{view.url}/#/History/")
    expect(page.get_by_role("heading", name="History")).to_be_visible()
    for identity in ids:
        call(server, "POST", f"{ROOT}/{identity}/complete")
    view.close()


def long_texts_leave_room_for_others(browser, server):
    """Beside a long name a type stands in one line; a name in a table, and what went wrong on a card, take some lines at most."""
    long = call(server, "POST", ROOT + "/start", {"operation_type": "install", "description": "A long name " * 40})["operation_id"]
    wrong = call(server, "POST", ROOT + "/start", {"operation_type": "seed", "description": "Goes wrong"})["operation_id"]
    call(server, "POST", f"{ROOT}/{wrong}/update", {"error": "\n".join(f"line {number}" for number in range(60))})
    view = Page(browser, server.url, viewport={"width": 1280, "height": 900})
    page = view.open()
    height = lambda node: node.bounding_box()["height"]
    shown = page.locator(f"[data-id={long}]")
    expect(page.locator(f"[data-id={wrong}] .error")).to_contain_text("line 59")
    assert height(shown.locator(".type")) < 30, "the type of a long name stands upright"
    assert height(shown) < 250, f"a card with a long name is {height(shown)} px high"
    shown = page.locator(f"[data-id={wrong}]")
    assert height(shown) < 450, f"a card with a long error is {height(shown)} px high"
    shown.get_by_role("button", name="Goes wrong").click()
    expect(page.get_by_role("dialog").get_by_text("line 59", exact=False).first).to_be_visible()
    page.keyboard.press("Escape")
    for name in ("history", "events"):
        page = view.open(name)
        row = page.locator("tbody tr", has_text="A long name").first
        expect(row).to_be_visible()
        assert height(row) < 110, f"a row of the {name} is {height(row)} px high"
    view.close()
    for identity in (long, wrong):
        call(server, "POST", f"{ROOT}/{identity}/cancel")
        call(server, "POST", f"{ROOT}/{identity}/complete")


def a_tablet_leaves_room_for_what_happened(browser, server):
    """768 px wide, what happened has a third of the line, whenever it was; the operation's number can be read as a whole."""
    identity = call(server, "POST", ROOT + "/start", {"operation_type": "install", "description": "What happened to this one, and why that was so"})["operation_id"]
    view = Page(browser, server.url, viewport={"width": 768, "height": 1024}, locale="en-US")

    def of_yesterday(route):
        answer = route.fetch().json()
        for event in answer["events"]:
            event["timestamp"] = event["timestamp"].replace(event["timestamp"][:10], "2026-02-10")
        route.fulfill(json=answer)

    view.page.route("**/api/ports/events?*", of_yesterday)
    page = view.open("events")
    row = page.locator("tbody tr", has_text=identity).first
    expect(row.get_by_role("button", name=identity, exact=True)).to_be_visible()
    until_none(page, lambda: (width := row.locator(".detail").bounding_box()["width"]) < 200 and f"{width} px for what happened")
    until_none(page, lambda: page.evaluate(TOO_WIDE))
    shoot(page, "events-768")
    call(server, "POST", f"{ROOT}/{identity}/complete")
    view.close()


def a_phone_shows_what_matters(browser, server):
    """360 px wide, all views are in one line, and what a row says and what can be done are on the screen; cancelled can be read."""
    identity = call(server, "POST", ROOT + "/start", {"operation_type": "download", "description": "On a phone", "total_size_mb": 4})["operation_id"]
    call(server, "POST", f"{ROOT}/{identity}/update", {"downloaded_mb": 4})
    call(server, "POST", f"{ROOT}/{identity}/complete")
    with tempfile.TemporaryDirectory() as data:
        with open(os.path.join(data, "services.json"), "w") as file:
            service = {"name": "a-service-of-this-machine", "port": free_port(), "process_name": "python3", "startup_cmd": "exec sleep 1"}
            json.dump({"services": [service]}, file)
        other = serve(data, None)
        try:
            for url, name in ((server.url, "history"), (server.url, "events"), (other.url, "ports")):
                view = Page(browser, url, viewport={"width": 360, "height": 780}, locale="en-GB", is_mobile=True, has_touch=True)
                page = view.open(name)
                row = page.locator("table.stacked tbody tr").first
                expect(row).to_be_visible()
                lines = page.locator("nav a").evaluate_all("links => links.map((link) => link.getBoundingClientRect()).map(({ top, right }) => [top, right])")
                assert len({top for top, _ in lines}) == 1 and lines[-1][1] <= 360, f"the views stand in several lines: {lines}"
                for node in row.locator(".status, time, .number, button").all():
                    box = node.bounding_box()
                    assert box is None or box["x"] + box["width"] <= 352, f"{name}: {node.text_content()!r} is off the screen"
                assert row.bounding_box()["height"] < 130, f"{name}: a row is {row.bounding_box()['height']} px high"
                # A row is still a row for who listens to it.
                roles = [node["role"]["value"] for node in view.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"] if "role" in node]
                assert "table" in roles and "row" in roles and "rowheader" in roles and "columnheader" in roles, f"{name}: {set(roles)}"
                check_accessibility(page, f"{name}, 360 px")
                page.evaluate("document.getElementById('liveness-text').textContent = 'Not live: the server answers with an error'")
                dot = page.locator(".liveness .dot").bounding_box()
                assert abs(dot["width"] - dot["height"]) < 0.1, f"the dot is an oval: {dot}"
                shoot(page, f"{name}-360")
                view.close()
        finally:
            other.stop()
    view = Page(browser, server.url)
    page = view.open()
    kept = page.evaluate("import('/assets/format.js').then(({ unbroken }) => unbroken('It is 100 %, above 95 %, with 12 MB left in 3 days.'))")
    assert kept == "It is 100\u00a0%, above 95\u00a0%, with 12\u00a0MB left in 3 days.", kept
    struck = page.evaluate(
        """() => { const row = document.createElement('p'); row.dataset.status = 'cancelled'; row.innerText = ''; row.append(document.createElement('span'));
            row.firstChild.className = 'status'; document.getElementById('main').append(row); return getComputedStyle(row.firstChild).textDecorationLine; }"""
    )
    assert struck == "none", f"cancelled is {struck}"
    view.close()


def what_a_service_is_for_can_be_read(browser):
    """What a service is for stands under its name, on a phone, too, and can be heard."""
    with tempfile.TemporaryDirectory() as data:
        service = {"name": "web", "port": free_port(), "description": "Shows the pictures of this house."}
        with open(os.path.join(data, "services.json"), "w") as file:
            json.dump({"services": [service, {"name": "other", "port": free_port()}]}, file)
        server = serve(data, None)
        try:
            for width in (1280, 360):
                view = Page(browser, server.url, viewport={"width": width, "height": 780})
                page = view.open("ports")
                rows = page.get_by_role("region", name="Services").get_by_role("rowheader")
                expect(rows).to_have_count(2)
                expect(page.get_by_role("rowheader", name="web Shows the pictures of this house.").get_by_text(service["description"])).to_be_visible()
                check_accessibility(page, f"services with descriptions, {width} px")
                shoot(page, f"ports-described-{width}")
                view.close()
        finally:
            server.stop()


def services_that_were_set_aside_are_told(browser):
    """Where the file of services could not be read, the page says that the default ones stand in its place, and why."""
    with tempfile.TemporaryDirectory() as data:
        with open(os.path.join(data, "services.json"), "w") as file:
            file.write('{"services": [\n{"name": "a",}]}')
        server = serve(data, None)
        try:
            view = Page(browser, server.url)
            page = view.open("ports")
            told = page.get_by_role("listitem").filter(has_text="the default services are in force")
            expect(told).to_contain_text("Line 2")
            expect(told).to_contain_text("services.invalid-")
            shoot(page, "ports-set-aside")
            view.close()
        finally:
            server.stop()
