"""Plots, and the tables of what they show."""

import json

from playwright.sync_api import expect
from support import Page, call, check_accessibility, finish, shoot, start, until_none, without_timer

# How large each text of the plots is on the screen, and which labels stand on each time axis.
TEXTS = """() => [...document.querySelectorAll('.drawing svg')].map((drawing) => ({
    width: drawing.getBoundingClientRect().width - drawing.parentElement.clientWidth,
    sizes: [...drawing.querySelectorAll('text')].map((text) => parseFloat(getComputedStyle(text).fontSize) * drawing.getScreenCTM().a),
    outside: [...drawing.querySelectorAll('text')].filter((text) => text.getBoundingClientRect().right > drawing.getBoundingClientRect().right + 1
        || text.getBoundingClientRect().left < drawing.getBoundingClientRect().left - 1).map((text) => text.textContent),
    boxes: [...drawing.querySelectorAll('text.time')].map((text) => [text.textContent, text.getBoundingClientRect().left, text.getBoundingClientRect().right]),
}))"""


def measured(view, points):
    """Shows a machine's last minutes: `(time of day, CPU in % of all cores)`."""
    like = call(view, "GET", "/api/ports/resources")["host"]
    history = [{**like, "timestamp": f"2026-02-10T{time}.000Z", "cpu_percent": cpu} for time, cpu in points]
    body = json.dumps({"history": history})
    # They are drawn once: what is drawn anew every two seconds is not there for a moment.
    without_timer(view, 2000)
    view.page.route("**/resources/history", lambda route: route.fulfill(status=200, content_type="application/json", body=body))
    page = view.open("machine")
    figure = page.locator("figure", has_text="CPU of the machine")
    expect(figure.locator(".drawing svg")).to_be_visible()
    return page, figure


def faults_of_texts(page):
    plots = page.evaluate(TEXTS)
    if len(plots) != page.locator("figure .drawing").count():
        yield f"only {len(plots)} plots are drawn"
    for drawn in plots:
        labels = [text for text, *_ in drawn["boxes"]]
        if abs(drawn["width"]) > 1:
            yield f"a plot is {drawn['width']} px wider than its place"
        if min(drawn["sizes"]) < 11:
            yield f"a text has {min(drawn['sizes'])} px"
        if drawn["outside"]:
            yield f"these are cut off: {drawn['outside']}"
        if len(labels) < 2 or len(set(labels)) < len(labels):
            yield f"the time axis has {labels}"
        if any(one[2] + 4 >= other[1] for one, other in zip(drawn["boxes"], drawn["boxes"][1:])):
            yield f"labels touch: {labels}"


def text_is_readable_at_any_width(browser, server):
    """Texts of a plot have 11 px and more at any width, also after that has changed, and labels stand apart."""
    identity = start(server, "Measured")
    points = [(f"12:{second // 60:02}:{second % 60:02}", 50) for second in range(17, 317, 2)]
    for locale in ("en-GB", "en-US"):
        view = Page(browser, server.url, locale=locale, timezone_id="Europe/Berlin", viewport={"width": 1280, "height": 900})
        page, figure = measured(view, points)
        for width in (1440, 1280, 768, 360, 320, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            until_none(page, lambda: [f"at {width} px {wrong}" for wrong in faults_of_texts(page)])
        if locale == "en-GB":
            labels = [text for text, *_ in page.evaluate(TEXTS)[0]["boxes"]]
            assert labels == ["13:01", "13:02", "13:03", "13:04", "13:05"], labels
        view.close()
    finish(server, identity)


LABELS = """async ([first, last]) => {
    const { drawing } = await import('/assets/plot-drawing.js');
    const place = Object.assign(document.createElement('figure'), { className: 'plot' });
    document.body.append(place);
    const series = [{ kind: 'line', style: 0, points: [[Date.parse(first), 1], [Date.parse(last), 2]] }];
    const near = [];
    for (let width = 260; width < 900; width += 11) {
        place.replaceChildren(drawing({ label: '', series, most: 1, from: Date.parse(first), to: Date.parse(last) }, width));
        const boxes = [...place.querySelectorAll('text.time')].map((text) => [text.textContent, text.getBoundingClientRect()]);
        if (boxes.length < 2) near.push(`${boxes.length} labels at ${width} px`);
        for (const [index, [text, { left }]] of boxes.entries()) {
            const gap = index > 0 ? left - boxes[index - 1][1].right : Infinity;
            if (gap < 12) near.push(`${text} ${gap.toFixed(1)} px beside its neighbour at ${width} px`);
        }
    }
    place.remove();
    return near;
}"""


def labels_stand_apart(browser, server):
    """A time axis has two labels at least, which stand apart at any width, also where the first or the last is moved from an edge that would cut it off."""
    for locale in ("en-GB", "en-US"):
        view = Page(browser, server.url, locale=locale, timezone_id="Europe/Berlin")
        page = view.open("machine")
        for end in ("12:05:10", "12:02:05", "12:01:50"):
            for begin in range(7, 60, 13):
                near = page.evaluate(LABELS, [f"2026-02-10T12:00:{begin:02}Z", f"2026-02-10T{end}Z"])
                assert not near, f"{locale}, from second {begin} to {end}: {near[:3]}"
        view.close()


def times_are_round(browser, server):
    """An axis has round times of the clock, days and months, whatever it spans."""
    view = Page(browser, server.url, locale="en-GB", timezone_id="Europe/Berlin")
    page = view.open("machine")
    ticks = "([first, last]) => import('/assets/axes.js').then(({ timeTicks }) => timeTicks(Date.parse(first), Date.parse(last), 340).map(({ label }) => label))"
    for first, last, expected in (
        ("2026-02-10T12:00:00.500Z", "2026-02-10T12:00:04.500Z", ["13:00:01", "13:00:02", "13:00:03", "13:00:04"]),
        ("2026-02-10T20:10:00Z", "2026-02-11T06:00:00Z", ["22:00", "11 Feb", "02:00", "04:00", "06:00"]),
        # The clock is put forward on the second day: midnight stays midnight.
        ("2026-03-28T11:00:00Z", "2026-03-31T11:00:00Z", ["29 Mar", "30 Mar", "31 Mar"]),
        ("2026-01-20T12:00:00Z", "2026-05-20T12:00:00Z", ["Feb 2026", "Mar 2026", "Apr 2026", "May 2026"]),
        ("2019-06-01T12:00:00Z", "2026-05-20T12:00:00Z", ["2020", "2022", "2024", "2026"]),
    ):
        labels = page.evaluate(ticks, [first, last])
        assert labels == expected, f"{first} to {last}: {labels}"
    view.close()


def lines_end_where_nothing_was_measured(browser, server):
    """Between two measurements far apart, and where one failed, there is no line; a table tells the same."""
    identity = start(server, "Measured")
    view = Page(browser, server.url)
    first = [("12:00:00", 10), ("12:00:02", 20), ("12:00:04", None), ("12:00:06", 30), ("12:00:08", 30)]
    page, figure = measured(view, [*first, ("12:01:30", 40), ("12:01:32", 50), ("12:03:00", 60.5)])
    expect(figure.locator(".drawing .line")).to_have_count(3)
    # One that stands alone is a dot.
    expect(figure.locator(".drawing .dot")).to_have_count(1)
    lines = figure.locator(".drawing .line").evaluate_all("lines => lines.map((line) => line.getBBox()).map(({ x, width }) => [x, x + width])")
    assert len(lines) == 3 and all(one[1] < other[0] for one, other in zip(lines, lines[1:])), f"lines overlap: {lines}"
    figure.get_by_text("As a table").click()
    expect(figure.locator("tbody td")).to_have_text(["60.5", "50.0", "40.0", "30.0", "30.0", "", "20.0", "10.0"])
    shoot(page, "gaps")
    view.close()
    finish(server, identity)


CUT_OFF = """() => [...document.querySelectorAll('.plot .scroll')].filter((place) => place.scrollWidth > place.clientWidth)
    .concat([...document.querySelectorAll('.plot .scroll :is(td, th)')].filter((cell) => cell.scrollWidth > cell.clientWidth)).map((node) => node.textContent.slice(0, 80))"""


def a_table_has_all_the_numbers(browser, server):
    """A plot's table has a number for each dot, none cut off, right-aligned; the plots beside it stay as they are."""
    view = Page(browser, server.url, viewport={"width": 1280, "height": 900})
    page = view.open("machine")
    expect(page.locator("figure.plot").first).to_be_visible()
    page.evaluate(
        """async () => {
            const { plot } = await import('/assets/plot.js');
            const begin = Date.parse('2026-02-10T12:00:00Z');
            const points = (shift) => Array.from({ length: 250 }, (_, index) => [begin + 1000 * index + shift, 0.006 + index]);
            const dots = [{ name: 'pull model', kind: 'dots', points: points(0) }, { name: 'set up the gateway', kind: 'dots', points: points(86400000) }];
            const lines = ['received', 'sent', 'operations'].map((name) => ({ name, kind: 'line', points: points(0) }));
            const figures = [plot({ title: 'Duration', unit: 's', series: dots }), plot({ title: 'Network', unit: 'MB/s', series: lines }), plot({ title: 'Other', unit: 's', series: dots })];
            document.querySelector('main').replaceChildren(Object.assign(document.createElement('div'), { className: 'plots' }));
            document.querySelector('main .plots').replaceChildren(...figures);
        }"""
    )
    dots, lines, other = [page.locator("figure.plot").nth(index) for index in range(3)]
    expect(dots.locator(".drawing .dot")).to_have_count(500)
    expect(other.locator(".drawing .dot")).to_have_count(500)
    height = lambda: other.evaluate("figure => figure.getBoundingClientRect().height")
    before = height()
    for figure, rows, cells in ((dots, 500, 1), (lines, 250, 3)):
        figure.get_by_text("As a table").click()
        expect(figure.locator("tbody tr")).to_have_count(rows)
        expect(figure.locator("tbody tr").first.locator("td.number")).to_have_count(cells)
    until_none(page, lambda: abs(height() - before) >= 1 and "a table that is opened stretches the plot beside it")
    until_none(page, lambda: (cut_off := page.evaluate(CUT_OFF)) and f"cut off: {cut_off[:3]}")
    aligned = page.locator(".plot .number").evaluate_all("cells => cells.map((cell) => getComputedStyle(cell)).map((style) => `${style.textAlign} ${style.fontVariantNumeric}`)")
    assert set(aligned) == {"end tabular-nums"}, set(aligned)
    least = dots.locator("tbody tr").last.locator("td.number")
    expect(least).to_have_text("< 1")
    check_accessibility(page, "tables of plots")
    shoot(page, "tables")
    view.close()


def a_filter_that_finds_nothing_draws_nothing(browser, server):
    """Where a filter leaves nothing, that is said once; nobody claims that nothing has been measured."""
    finish(server, start(server, "Found", "seed"))
    view = Page(browser, server.url)
    page = view.open("history")
    expect(page.locator("figure.plot").first).to_be_visible()
    page.get_by_role("searchbox", name="Text").fill("There is nothing like this")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing that ran is like that.")).to_be_visible()
    expect(page.locator("figure.plot")).to_have_count(0)
    expect(page.get_by_text("measured")).to_have_count(0)
    view.close()
