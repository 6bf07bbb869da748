"""The page itself: how it looks, who gets in, what it says when its server is gone, and that a keyboard is enough."""

import json
import re
import urllib.request

from playwright.sync_api import expect
from support import ROOT, Page, call, card, check_accessibility, example, finish, free_port, hear, keep_ended, let_ended_go, listen, scripted, shoot, start, tab_to, until_none, with_services


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


# What a phone 360 px wide doesn't show of the views' names and of the first row of a table, or shows too large.
OFF_A_PHONE = """() => { const box = (node) => node.getBoundingClientRect();
    const row = document.querySelector('table.stacked tbody tr');
    const links = [...document.querySelectorAll('nav a')].map(box);
    return !row ? ['there is no row'] : [
        ...(new Set(links.map(({ top }) => top)).size === 1 && links.at(-1).right <= 360 ? [] : ['the views stand in several lines']),
        ...[...row.querySelectorAll('.status, time, .number, button')].filter((node) => box(node).right > 352).map((node) => `“${node.textContent}” is off the screen`),
        ...(box(row).height < 130 ? [] : [`a row is ${box(row).height} px high`])]; }"""


# What would be an image that can't be loaded, and then a script, if a text were ever taken for HTML.
HOSTILE = "<img src=x onerror=document.title='taken'>"


def every_view_looks_right(browser, server):
    """Every view, in light, dark, on a phone and in forced colours: no violation of axe's rules, nothing wider than the screen."""
    kinds = [("pull_model", "Pull llama3.2", 1900), ("seed", "Seed 18 icons", None), ("install", "Set up the OK gateway", None), ("download", "Fetch weights.bin", 640)]
    ids = []
    for number, (kind, name, size) in enumerate(kinds):
        ids.append(start(server, name, kind, **({"total_size_mb": size} if size else {})))
        call(server, "POST", f"{ROOT}/{ids[-1]}/update", {"progress": 20 + 17 * number, "resource_impact": {"cpu_percent": 12, "memory_mb": 300, "network_mbps": 80}})
    for name, ending in (("Install a part", {}), ("Install another", {"error": "The disk is full."})):
        finish(server, start(server, name), **ending)
    ids.append(start(server, HOSTILE))
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
        finish(server, identity)
    finish(server, ids[-1], error=HOSTILE)
    view = Page(browser, server.url)
    page = view.open("history")
    page.get_by_role("button", name=HOSTILE).click()
    expect(page.get_by_role("dialog").locator("p.error")).to_have_text(HOSTILE)
    assert page.locator("[onerror]").count() == 0, "a text was taken for HTML"
    view.close()


def texts_are_never_taken_for_html(browser, server):
    """Whatever work says of itself, its phase and its message too, is shown as the text that it is."""
    like = example(server, HOSTILE)
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
    ids = [start(server, name) for name in ("   ", "\u200b\u2060")]
    view = Page(browser, server.url)
    page = view.open()
    for identity in ids:
        expect(page.locator(f"[data-id={identity}]").get_by_role("button", name="install", exact=True)).to_be_visible()
    check_accessibility(page, "names that can't be seen")
    page.locator(f"[data-id={ids[0]}]").get_by_role("button", name="install", exact=True).click()
    expect(page.get_by_role("dialog", name="install")).to_be_visible()
    check_accessibility(page, "the details of such a one")
    for identity in ids:
        finish(server, identity)
    page.get_by_role("button", name="Close").click()
    page.get_by_role("link", name="History").click()
    expect(page.locator("table.history tbody tr").first.get_by_role("button", name="install", exact=True)).to_be_visible()
    view.close()


def keyboard_alone(browser, server):
    """Past the links, to a form and into an operation that is paused, resumed and cancelled: without a mouse."""
    view = Page(browser, server.url)
    keep_ended(view)
    page = view.open()
    listen(page)
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
    expect(pulled.get_by_role("button", name="Resume")).not_to_have_attribute("aria-disabled", "true")
    page.keyboard.press("Enter")
    expect(pulled.locator(".status")).to_have_text("running")
    tab_to(page, "Cancel")
    expect(pulled.get_by_role("button", name="Cancel")).not_to_have_attribute("aria-disabled", "true")
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
    hear(page, "Pull keys cancelled")
    let_ended_go(page)
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


def content_policy(server):
    """The page may load nothing from elsewhere and run nothing inline."""
    with urllib.request.urlopen(server.url + "/") as answer:
        policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy and "default-src 'none'" in policy, policy


def long_names_stay_in_their_cards(browser, server):
    """Names and types of any length keep a card within the narrowest screens; signs that turn a text round are shown."""
    starts = [("install", "L" * 1000), ("x" * 64, "Of a long type"), ("install", "a\u202etxt.exe")]
    ids = [start(server, name, kind) for kind, name in starts]
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
        finish(server, identity)
    view.close()


def long_texts_leave_room_for_others(browser, server):
    """Beside a long name a type stands in one line; a name in a table, and what went wrong on a card, take some lines at most."""
    long = start(server, "A long name " * 40)
    wrong = start(server, "Goes wrong", "seed")
    call(server, "POST", f"{ROOT}/{wrong}/update", {"error": "\n".join(f"line {number}" for number in range(60))})
    view = Page(browser, server.url, viewport={"width": 1280, "height": 900})
    page = view.open()

    def is_within(node, limit, what):
        until_none(page, lambda: (height := node.evaluate("node => node.getBoundingClientRect().height")) >= limit and f"{what} is {height} px high")

    shown = page.locator(f"[data-id={long}]")
    expect(page.locator(f"[data-id={wrong}] .error")).to_contain_text("line 59")
    is_within(shown.locator(".type"), 30, "the type of a long name")
    is_within(shown, 250, "a card with a long name")
    shown = page.locator(f"[data-id={wrong}]")
    is_within(shown, 450, "a card with a long error")
    shown.get_by_role("button", name="Goes wrong").click()
    expect(page.get_by_role("dialog").get_by_text("line 59", exact=False).first).to_be_visible()
    page.keyboard.press("Escape")
    for name in ("history", "events"):
        page = view.open(name)
        row = page.locator("tbody tr", has_text="A long name").first
        expect(row).to_be_visible()
        is_within(row, 110, f"a row of the {name}")
    view.close()
    for identity in (long, wrong):
        call(server, "POST", f"{ROOT}/{identity}/cancel")
        finish(server, identity)


def a_tablet_leaves_room_for_what_happened(browser, server):
    """768 px wide, what happened has a third of the line, whenever it was; the operation's number can be read as a whole."""
    identity = start(server, "What happened to this one, and why that was so")
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
    until_none(page, lambda: (width := row.locator(".detail").evaluate("node => node.getBoundingClientRect().width")) < 200 and f"{width} px for what happened")
    until_none(page, lambda: page.evaluate(TOO_WIDE))
    shoot(page, "events-768")
    finish(server, identity)
    view.close()


def a_phone_shows_what_matters(browser, server):
    """360 px wide, all views are in one line, and what a row says and what can be done are on the screen; cancelled can be read."""
    identity = start(server, "On a phone", "download", total_size_mb=4)
    call(server, "POST", f"{ROOT}/{identity}/update", {"downloaded_mb": 4})
    finish(server, identity)
    with with_services({"name": "a-service-of-this-machine", "port": free_port(), "process_name": "python3", "startup_cmd": "exec sleep 1"}) as other:
        for url, name in ((server.url, "history"), (server.url, "events"), (other.url, "ports")):
            view = Page(browser, url, viewport={"width": 360, "height": 780}, locale="en-GB", is_mobile=True, has_touch=True)
            page = view.open(name)
            row = page.locator("table.stacked tbody tr").first
            expect(row).to_be_visible()
            until_none(page, lambda: [f"{name}: {wrong}" for wrong in page.evaluate(OFF_A_PHONE)])
            # A row is still a row for who listens to it.
            roles = [node["role"]["value"] for node in view.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"] if "role" in node]
            assert "table" in roles and "row" in roles and "rowheader" in roles and "columnheader" in roles, f"{name}: {set(roles)}"
            check_accessibility(page, f"{name}, 360 px")
            page.evaluate("document.getElementById('liveness-text').textContent = 'Not live: the server answers with an error'")
            oval = "dot => { const { width, height } = dot.getBoundingClientRect(); return Math.abs(width - height) < 0.1 ? '' : `the dot is an oval, ${width} to ${height} px`; }"
            until_none(page, lambda: page.locator(".liveness .dot").evaluate(oval))
            shoot(page, f"{name}-360")
            view.close()
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
