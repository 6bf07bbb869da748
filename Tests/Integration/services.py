"""Heals conflicts over ports between real servers, and says what was left out. See run-services.sh."""

import grp
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from bound_ports import free_port

PROBE = os.path.abspath(sys.argv[1])
PYTHON = shutil.which("python3", path="/usr/bin:" + os.environ["PATH"])
failures = []
left_out = []
started = []


def check(what, is_so, detail=""):
    print(("ok    " if is_so else "FAILED ") + what + ("" if is_so else f": {detail}"))
    if not is_so:
        failures.append(what)


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
        return True
    except OSError:
        return False


def wait_until(is_so, seconds=120):
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def server(port):
    """Who says that it serves, by the answer's head."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as answer:
        return answer.headers.get("Server") or answer.headers.get("X-Server") or ""


def run(command, port):
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    started.append(process)
    assert wait_until(lambda: listens(port)), f"{command} doesn't listen"
    return process


class Services:
    def __init__(self, folder, services):
        self.folder = folder
        self.registry = os.path.join(folder, "services.json")
        with open(self.registry, "w") as file:
            json.dump({"services": services}, file)

    def __call__(self, *arguments):
        result = subprocess.run(
            [PROBE, self.registry, os.path.join(self.folder, "services"), *arguments],
            capture_output=True,
            text=True,
            timeout=300,
        )
        return json.loads(result.stdout)

    def all_four_hold(self):
        """Waits until the port of the one service has as many holders: a server listens before it forks."""
        return wait_until(lambda: len(self("status")["services"][0].get("pids", [])) == 4)

    def status(self, name):
        return next(s for s in self("status")["services"] if s["name"] == name)["status"]


def python_server(port):
    return [PYTHON, "-m", "http.server", str(port), "--bind", "127.0.0.1"]


def test_node(folder):
    node = shutil.which("node")
    if not node:
        left_out.append("Node's server: node is not installed")
        return
    port = free_port()
    script = (
        "require('http').createServer((_, a) => { a.setHeader('X-Server', 'node'); a.end() })"
        ".listen(process.env.PORT, '127.0.0.1')"
    )
    services = Services(
        folder,
        [{"name": "vite", "port": port, "process_name": "npm", "startup_cmd": [node, "-e", script], "health_endpoint": "/"}],
    )
    python = run(python_server(port), port)
    conflict = services("conflicts")["conflicts"]["conflicts"][0]
    check("Python on Node's port is a conflict", not conflict["is_correct"], conflict)
    check("its process is named", conflict["pid"] == python.pid and conflict["actual_process"].startswith("python"), conflict)
    recovery = services("heal")["recovery"]
    check("healing says that it is done", [s["outcome"] for s in recovery["steps"]] == ["done"], recovery)
    check("Node serves, and npm's leniency knows it", server(port) == "node" and services.status("vite") == "running")
    check("Python has ended by SIGTERM", python.wait(60) == -signal.SIGTERM, python.returncode)
    services("stop", "vite")
    check("Node is stopped by a later program", not listens(port))


def nginx_command(folder, port, daemon):
    # Debian's own configuration is none of this test's business.
    configuration = os.path.join(folder, "nginx.conf")
    with open(configuration, "w") as file:
        group = grp.getgrgid(pwd.getpwnam("nobody").pw_gid).gr_name
        user = f"user nobody {group};" if os.geteuid() == 0 else ""
        temporary = "\n".join(
            f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        file.write(
            f"{user} daemon {daemon}; worker_processes 3; pid {folder}/nginx.pid; error_log {folder}/error.log;\n"
            f"events {{}}\nhttp {{ access_log off; {temporary}\n"
            f"server {{ listen 127.0.0.1:{port}; location / {{ return 200 'ok'; }} }} }}\n"
        )
    return [shutil.which("nginx"), "-p", folder, "-c", configuration]


def test_nginx(folder):
    if not shutil.which("nginx"):
        left_out.append("nginx, with workers of another user: nginx is not installed (Debian: nginx-light)")
        return
    port = free_port()
    command = nginx_command(folder, port, "off")
    services = Services(
        folder,
        [{"name": "web", "port": port, "process_name": "python3", "startup_cmd": " ".join(["exec", *python_server(port)])}],
    )
    # Where the machine stands still for the five seconds that it has to end by itself, it is ended by force, and it is tried again.
    for _ in range(5):
        nginx = run(command, port)
        are_there = services.all_four_hold()
        report = services("status")["services"][0]
        check("nginx and its three workers hold Python's port", are_there, report)
        check("the first of them is named", report["pid"] == nginx.pid and report["actual_process"] == "nginx", report)
        killed = services("kill", "web")
        if not killed.get("forced"):
            break
    check("the first is asked, and its workers go with it", killed.get("ended") == [nginx.pid], killed)
    check("without force", killed.get("forced") is False and not listens(port), killed)
    check("and it ended by itself", nginx.wait(60) == 0, nginx.returncode)

    run(command, port)
    services("restart", "web")
    check("a restart pushes nginx away and starts Python", "Python" in server(port))
    services("stop", "web")

    daemon = nginx_command(folder, port, "on")
    services = Services(folder, [{"name": "proxy", "port": port, "process_name": "nginx", "startup_cmd": daemon}])
    answer = services("start", "proxy")
    check("a daemon that leaves its session counts as started", services.status("proxy") == "running", answer)
    answer = services("stop", "proxy")
    check("and is stopped by its port", not listens(port) and services.status("proxy") == "stopped", answer)


def test_stubborn(folder):
    port = free_port()
    services = Services(folder, [{"name": "web", "port": port, "process_name": "node"}])
    program = (
        "import http.server, os, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f"s = http.server.HTTPServer(('127.0.0.1', {port}), http.server.SimpleHTTPRequestHandler);"
        "os.fork(); os.fork(); s.serve_forever()"
    )
    run([PYTHON, "-c", program], port)
    check("forked workers hold the port", services.all_four_hold(), services("status"))
    killed = services("kill", "web")
    check("forked workers that ignore SIGTERM are ended by force", killed.get("forced") is True, killed)
    check("all four of them", len(killed.get("ended", [])) == 4 and not listens(port), killed)


try:
    for test in (test_node, test_nginx, test_stubborn):
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            test(folder)
finally:
    for process in started:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

for what in left_out:
    print(f"LEFT OUT: {what}")
sys.exit(1 if failures else 3 if left_out else 0)
