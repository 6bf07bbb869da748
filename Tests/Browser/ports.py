"""Services and their ports: who holds which, and how that is put right."""

import os
import re
import signal
import subprocess
import tempfile

from playwright.sync_api import expect
from support import PATIENCE, Page, call, check_accessibility, free_port, serve, shoot, squat, until, with_services


def a_conflict_is_killed_and_healed(browser):
    """A port in the wrong hands is found; its holder is killed, another restarted over, another healed, each after asking."""
    port = free_port()
    command = f"exec /usr/bin/python3 -m http.server {port} --bind 127.0.0.1"
    with with_services({"name": "web", "port": port, "process_name": "node", "startup_cmd": command}) as server:
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
            expect(page.get_by_role("button", name="Check", exact=True)).to_be_focused()
            expect(row.locator(".status")).to_have_text("running")
            view.close()
        finally:
            call(server, "POST", "/api/ports/stop", {"service_name": "web"})
            for process in squatters:
                if process.poll() is None:
                    process.kill()
                process.wait()


def why_a_service_failed_can_be_read(browser):
    """Why a service is as it is stands beside its status, and stays when the message is dismissed."""
    with with_services({"name": "web", "port": free_port(), "startup_cmd": "echo The paper is out.; exit 3"}) as server:
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


SHARE = """import socket, sys, time
s = socket.socket()
for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
    s.setsockopt(socket.SOL_SOCKET, option, 1)
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen()
print("there", flush=True)
time.sleep(600)"""


def only_who_was_shown_is_ended(browser):
    """All who hold a port are named before they are ended; where another has come meanwhile, that is said and nobody harmed."""
    port = free_port()
    command = f"exec /usr/bin/python3 -m http.server {port} --bind 127.0.0.1"
    with with_services({"name": "web", "port": port, "process_name": "node", "startup_cmd": command}) as server:
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
            for process in sharers:
                process.kill()
                process.wait()


def what_a_service_is_for_can_be_read(browser):
    """What a service is for stands under its name, on a phone, too, and can be heard."""
    service = {"name": "web", "port": free_port(), "description": "Shows the pictures of this house."}
    with with_services(service, {"name": "other", "port": free_port()}) as server:
        for width in (1280, 360):
            view = Page(browser, server.url, viewport={"width": width, "height": 780})
            page = view.open("ports")
            rows = page.get_by_role("region", name="Services").get_by_role("rowheader")
            expect(rows).to_have_count(2)
            expect(page.get_by_role("rowheader", name="web Shows the pictures of this house.").get_by_text(service["description"])).to_be_visible()
            check_accessibility(page, f"services with descriptions, {width} px")
            shoot(page, f"ports-described-{width}")
            view.close()


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


def what_the_server_itself_holds_is_not_offered(browser):
    """A service whose port this server has can't be restarted, and nothing there offers to; why stands with the conflict."""
    port = free_port()
    with with_services({"name": "web", "port": port, "process_name": "node", "startup_cmd": "exec sleep 600"}, port=port) as server:
        view = Page(browser, server.url)
        page = view.open("ports")
        conflict = page.locator("article.conflict")
        row = page.get_by_role("region", name="Services").get_by_role("row").last
        for place in (conflict, row):
            expect(place.get_by_role("button", name="Restart")).to_be_disabled()
        expect(conflict.get_by_role("button", name="Kill")).to_be_disabled()
        shoot(page, "ports-own")
        view.close()
