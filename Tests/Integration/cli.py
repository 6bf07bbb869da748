"""Drives wizard in tmux and compares what stands on the screen. See run-cli.sh."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback

from bound_ports import free_port
from terminal import ENVIRONMENT, TMUX, Terminal, plain, tmux, wait_until

WIZARD, STAND_IN = sys.argv[1:3]
PLACE = tempfile.mkdtemp()
left_out = []
# The figures of a pull: how much it is by now depends on the machine.
PULLING = r"[MG]B / "


def wizard(*arguments, code=0, data=None, **more):
    environment = {**os.environ, "OLLAMA_HOST": ollama_url, **more}
    command = [WIZARD, *arguments] + (["--data", data] if data else [])
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=environment, timeout=300)
    assert done.returncode == code, f"{arguments}: exit code {done.returncode}, not {code}\n{done.stdout}{done.stderr}"
    return done


def status(data, *arguments, code=0):
    return json.loads(wizard("status", "--json", *arguments, data=data, code=code).stdout)


def folder(name):
    return os.path.join(PLACE, name)


# --- the tests -------------------------------------------------------------------------------------------------------------


def a_server_is_started_told_of_and_stopped():
    data = folder("lifecycle")
    terminal = Terminal()
    terminal.type(f"{WIZARD} start --port 0 --data {data}; echo code $?")
    terminal.wait(r"code 0")
    shown = [plain(line) for line in terminal.lines() if line.startswith(("●", "  "))]
    expected = ["● The server runs at URL.", "  pid  N", "  up for  Ns", "  health  ok", "  operations  N active"]
    assert shown[:5] == expected, shown
    # It isn't the terminal's: it lives on when that is gone.
    terminal.close()
    assert status(data)["status"] == "running"
    wizard("stop", data=data)
    assert status(data, code=3)["status"] == "stopped"


def operations_are_shown_live_at_any_width():
    data = folder("watch")
    wizard("start", "--port", "0", data=data)
    terminal = Terminal(100, 24)
    terminal.type("echo before")
    terminal.wait("^before")
    terminal.type(f"{WIZARD} operations --watch --data {data}; echo code $?")
    terminal.wait("Nothing runs")
    wizard("pull", "big", "--detach", data=data)
    wizard("pull", "bigger", "--detach", data=data)
    terminal.wait(r"(?s)left  downloading.*left  downloading")

    expected = [
        "N running  URL", "", "Pull big  ID", "  [29]  N %  N MB / N MB  N MB/s  T left  downloading", "Pull bigger  ID",
        "  [29]  N %  N MB / N MB  N MB/s  T left  downloading", "q or Ctrl-C ends the watching, not the work",
    ]
    terminal.wait_for("the picture", lambda lines: [plain(line) for line in lines[:7]] == expected and not any(lines[7:]))

    for width, bar, figures in [(80, 23, "N MB / N MB  N MB/s  T left"), (40, 11, "N MB / N MB")]:
        terminal.resize(width, 12)
        # Whatever of the figures fits; the bar is always there, and nothing is left of the old picture.
        row = rf"^  \[{bar}\]  N %  {re.escape(figures)}( .*)?$"
        titles = ["Pull big", "Pull bigger"]

        def is_right(lines):
            lines = [plain(line) for line in lines]
            rows = [line for line in lines if re.match(row, line)]
            other = [line for line in lines if line and not re.match(row, line)]
            return len(rows) == 2 and len(other) == 4 and [line.split("  ")[0] for line in other[1:3]] == titles

        terminal.wait_for(f"the picture at {width} columns", is_right)
    terminal.resize(100, 24)

    identifier = re.search(r"op_[0-9a-z]{24}", wizard("operations", data=data).stdout).group()
    wizard("pause", identifier, data=data)
    terminal.wait(r"1 running, 1 paused")
    terminal.wait(r"%  paused")
    wizard("resume", identifier, data=data)
    terminal.wait(r"2 running")
    wizard("cancel", identifier, data=data)
    terminal.wait(r"– cancelled  in .*Pull big")

    assert terminal.state() == "1 0 0", terminal.state()
    terminal.keys("C-c")
    terminal.wait("code 0")
    assert terminal.state() == "0 1 1", terminal.state()
    assert terminal.lines()[1] == "before", terminal.text()
    terminal.type("stty -a | grep -o ' echo \\| icanon\\| susp = ^Z' | tr '\\n' ,")
    terminal.wait(r"susp = \^Z, icanon, echo ,")
    for ending in ["key", "signal"]:
        terminal.run(f"{WIZARD} operations --watch --data {data}")
        terminal.wait("Pull bigger")
        if ending == "key":
            terminal.keys("q")
        else:
            found = subprocess.run(["pgrep", "-f", f"operations --watch --data {data}"], capture_output=True, text=True)
            for pid in found.stdout.split():
                if os.readlink(f"/proc/{pid}/exe") == os.path.realpath(WIZARD):
                    os.kill(int(pid), signal.SIGTERM)
        terminal.wait("code 0")
        assert terminal.state() == "0 1 1", terminal.state()
    # Without a terminal it is a list.
    listed = wizard("operations", "--watch", data=data).stdout
    assert "\x1b" not in listed and "Pull bigger" in listed, listed
    terminal.close()
    wizard("stop", data=data)


def colour_is_for_terminals_that_want_it():
    data = folder("colour")
    wizard("start", "--port", "0", data=data)
    for variable, is_coloured in [("NO_COLOR=", True), ("NO_COLOR=1", False)]:
        terminal = Terminal(environment=[variable])
        terminal.type(f"{WIZARD} status --data {data}; echo code $?")
        terminal.wait("code 0")
        assert ("\x1b[32m" in terminal.styled()) == is_coloured, terminal.styled()
        terminal.close()
    assert "\x1b" not in wizard("status", data=data, NO_COLOR="").stdout
    wizard("stop", data=data)


def a_pull_is_handed_over_and_cancelled_by_control_c():
    data = folder("handover")
    wizard("start", "--port", "0", data=data)
    for width in [100, 80, 40]:
        terminal = Terminal(width)
        terminal.run(f"{WIZARD} pull big --data {data}")
        terminal.wait(PULLING)
        operations = json.loads(wizard("operations", "--json", data=data).stdout)["operations"]
        assert [operation["description"] for operation in operations] == ["Pull big"], operations
        terminal.wait_for("one bar", lambda lines: sum("░" in line for line in lines) == 1)
        terminal.keys("C-c")
        terminal.wait("code 130")
        assert "– cancelled" in terminal.text() and "░" not in terminal.text(), terminal.text()
        record = json.loads(wizard("show", operations[0]["operation_id"], "--json", data=data).stdout)
        assert record["status"] == "cancelled" and record["started_by"] != "wizard pull", record
        terminal.close()
    wizard("stop", data=data)


def a_server_that_dies_is_looked_for():
    data = folder("lost")
    wizard("start", "--port", "0", data=data)
    terminal = Terminal()
    # Half a minute is left for it from the first figures on.
    pid = status(data)["pid"]
    terminal.run(f"{WIZARD} pull medium --data {data}")
    terminal.wait(PULLING)
    os.kill(pid, signal.SIGKILL)
    terminal.wait("connection to the server is lost")
    wizard("start", "--port", "0", data=data)
    # What a crash cut off is taken up by the next server, or has failed; either is seen here.
    terminal.wait(r"code [01]", 300)
    assert "✓ completed" in terminal.text() or "✗ failed" in terminal.text(), terminal.text()

    terminal.run(f"{WIZARD} pull big --data {data}")
    terminal.wait(PULLING)
    os.kill(status(data)["pid"], signal.SIGKILL)
    terminal.wait(r"code 1", 300)
    assert "did not come back" in terminal.text() and "wizard start" in terminal.text(), terminal.text()
    terminal.close()


def a_server_that_was_stopped_is_missed_while_it_is_watched():
    data = folder("stopped")
    wizard("start", "--port", "0", data=data)
    terminal = Terminal(140)
    terminal.run(f"{WIZARD} pull bigger --data {data}")
    terminal.wait(PULLING)
    pid = status(data)["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        # 40 s of silence, and half a minute in which it is looked for.
        terminal.wait("connection to the server is lost", 300)
        terminal.wait("code 1", 300)
        assert "doesn't answer" in terminal.text() and f"kill -CONT {pid}" in terminal.text(), terminal.text()
        assert status(data, code=4)["status"] == "not_answering"
    finally:
        os.kill(pid, signal.SIGCONT)
    terminal.close()
    wizard("kill", data=data)


def a_conflict_over_the_servers_port_is_put_right():
    data, port = folder("conflict"), free_port()
    os.makedirs(data)
    with open(f"{data}/services.json", "w") as file:
        json.dump({"services": [{"name": "wizard", "port": port, "environment": "production", "process_name": "wizard"}]}, file)
    other = subprocess.Popen(
        [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until("the conflict", lambda: subprocess.run(
            [WIZARD, "status", "--port", str(port), "--data", data], capture_output=True, text=True
        ).stdout.find(f"pid {other.pid}") > 0)
        found = status(data, "--port", str(port), code=3)
        assert found["status"] == "conflict" and f"(pid {other.pid})" in found["held_by"], found
        refused = wizard("start", "--port", str(port), data=data, code=1)
        assert f"pid {other.pid}" in refused.stderr, refused.stderr
        unasked = wizard("kill", "--port", str(port), data=data, code=2)
        assert "--yes" in unasked.stderr, unasked.stderr
        assert wizard("ports", "check", data=data, code=1).stdout.count("port_conflict") == 1
        listed = json.loads(wizard("ports", "conflicts", "--json", data=data).stdout)
        assert listed["requires_attention"] == 1 and listed["conflicts"][0]["pid"] == other.pid, listed

        terminal = Terminal(140)
        terminal.run(f"{WIZARD} restart --port {port} --data {data}")
        terminal.wait(r"End that\? \[y/N\]")
        # A person who takes their time keeps nobody from starting a server.
        wizard("start", "--port", str(free_port()), data=data)
        wizard("stop", data=data)
        terminal.type("n")
        terminal.wait("code 130")
        assert other.poll() is None
        terminal.run(f"{WIZARD} restart --port {port} --data {data}")
        terminal.wait(r"End that\? \[y/N\]")
        terminal.type("y")
        terminal.wait("code 0")
        assert "was ended" in terminal.text() and f"127.0.0.1:{port}" in terminal.text(), terminal.text()
        terminal.close()
        other.wait(60)
    finally:
        other.kill()
        other.wait()
    wizard("ports", "check", data=data)
    events = wizard("events", data=data).stdout
    assert "process.terminated" in events and "wizard restart" in events, events
    wizard("stop", data=data)


def services_are_looked_at_killed_and_moved():
    data, port = folder("ports"), free_port()
    os.makedirs(data)
    with open(f"{data}/services.json", "w") as file:
        json.dump({"services": [{"name": "site", "port": port, "environment": "development", "process_name": "node"}]}, file)
    other = subprocess.Popen(
        [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until("the holder", lambda: f"{other.pid}" in wizard("ports", "status", data=data).stdout)
        assert f"export SITE_PORT={port}" in wizard("ports", "env", data=data).stdout
        assert "--yes" in wizard("ports", "heal", data=data, code=2).stderr
        healed = json.loads(wizard("ports", "heal", "--yes", "--json", data=data).stdout)
        assert [step["outcome"] for step in healed["steps"]] == ["done"], healed
        other.wait(60)
    finally:
        other.kill()
        other.wait()
    assert "There was nothing to do" in wizard("ports", "heal", data=data).stdout
    assert "Nothing holds" in wizard("ports", "kill", "site", data=data).stdout
    assert wizard("ports", "kill", ":1", "--yes", data=data).returncode == 0
    available = int(wizard("ports", "available", str(port), data=data).stdout)
    assert available > port
    assert f"port {available}" in wizard("ports", "reassign", "site", str(available), data=data).stdout
    assert f"export SITE_PORT={available}" in wizard("ports", "env", data=data).stdout
    wizard("ports", "kill", "nobody", data=data, code=2)


def a_full_disk_is_said_also_of_what_ends_a_holder():
    data, registry, port = folder("full"), folder("full-services.json"), free_port()
    os.makedirs(data)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", data], capture_output=True).returncode != 0:
        left_out.append("ports kill on a full disk: no tmpfs can be mounted here (needs root)")
        return
    with open(registry, "w") as file:
        json.dump({"services": [{"name": "site", "port": port, "process_name": "node"}]}, file)
    other = subprocess.Popen(
        [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        arguments = ["--services", registry]
        wait_until("the holder", lambda: f"{other.pid}" in wizard("ports", "status", *arguments, data=data).stdout)
        with open(f"{data}/filler", "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        killed = wizard("ports", "kill", "site", "--yes", *arguments, data=data)
        other.wait(60)
        assert "was ended" in killed.stdout and "not in the history" in killed.stderr, killed
    finally:
        other.kill()
        other.wait()
        subprocess.run(["umount", "-l", data], check=True)


def completion_works_in_real_shells():
    # Outside of a completion there is no compopt.
    script = 'compopt() { :; }; eval "$("$1" completion bash)"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _wizard; echo "${COMPREPLY[@]}"'

    def bash(*words):
        done = subprocess.run(["bash", "--norc", "-c", script, "bash", WIZARD, *words], capture_output=True, text=True)
        assert done.returncode == 0 and not done.stderr, done.stderr
        return done.stdout.split()

    assert bash("wizard", "op") == ["operations"]
    assert bash("wizard", "pull", "--ins") == ["--insecure"]
    assert bash("wizard", "ports", "re") == ["reassign"]
    assert bash("wizard", "serve", "--config", f"{PLACE}/sett") == [f"{PLACE}/settings.json"]
    assert bash("wizard", "serve", "--port", "") == []
    bin_folder = os.path.dirname(WIZARD)
    for shell, load in [
        ("bash --norc --noprofile", f"PATH+=:{bin_folder}; eval \"$(wizard completion bash)\""),
        ("zsh -f", f"path+=({bin_folder}); autoload -U compinit; compinit -u -D; eval \"$(wizard completion zsh)\""),
        ("fish --no-config --private", f"set -a PATH {bin_folder}; wizard completion fish | source"),
    ]:
        name = shell.split()[0]
        if not shutil.which(name):
            left_out.append(f"completion in {name}, which is not installed (Debian: {name})")
            continue
        terminal = Terminal(shell=shell, environment=[f"HOME={PLACE}"])
        terminal.type(load + "; echo loaded")
        terminal.wait("^loaded")
        for typed, found in [("wizard operat", "wizard operations"), ("wizard ports reas", "wizard ports reassign"),
                             ("wizard pull --inse", "wizard pull --insecure"),
                             # Behind an operand as well.
                             ("wizard ports kill --serv", "wizard ports kill --services")]:
            terminal.keys("C-u")
            tmux("send-keys", "-t", terminal.name, "-l", typed)
            terminal.wait(re.escape(typed))
            terminal.keys("Tab")
            terminal.wait(re.escape(found))
        terminal.close()


TESTS = [
    a_server_is_started_told_of_and_stopped,
    operations_are_shown_live_at_any_width,
    colour_is_for_terminals_that_want_it,
    a_pull_is_handed_over_and_cancelled_by_control_c,
    a_server_that_dies_is_looked_for,
    a_server_that_was_stopped_is_missed_while_it_is_watched,
    a_conflict_over_the_servers_port_is_put_right,
    services_are_looked_at_killed_and_moved,
    a_full_disk_is_said_also_of_what_ends_a_holder,
    completion_works_in_real_shells,
]

# At 30 MB/s: only `medium` is ever done, however long the tests take; what has been pulled of a model once is there for the next.
stand_in = subprocess.Popen(
    [STAND_IN, "--model", "big=500000", "--model", "bigger=600000", "--model", "medium=900"], stdout=subprocess.PIPE, text=True
)
ollama_url = stand_in.stdout.readline().split()[-1]
ENVIRONMENT.append(f"OLLAMA_HOST={ollama_url}")
with open(f"{PLACE}/settings.json", "w") as config:
    config.write("{}")
# Kept, since tmux ends with its last session.
tmux("new-session", "-d", "-s", "keeper", "sleep 100000")
failed = 0
wanted = sys.argv[3:]
try:
    for test in TESTS:
        name = test.__name__.replace("_", " ")
        if wanted and not any(part in test.__name__ for part in wanted):
            continue
        try:
            test()
            print(f"passed: {name}", flush=True)
        except Exception as error:  # noqa: BLE001: the others are to run, too
            failed += 1
            print(f"FAILED: {name}: {error}\n{traceback.format_exc()}", flush=True)
finally:
    # What a test that failed has left behind.
    for name in os.listdir(PLACE):
        if os.path.exists(f"{PLACE}/{name}/server.json"):
            subprocess.run([WIZARD, "kill", "--data", f"{PLACE}/{name}"], capture_output=True)
    stand_in.terminate()
    stand_in.wait()
    subprocess.run(TMUX + ["kill-server"], capture_output=True)
    shutil.rmtree(PLACE, ignore_errors=True)
for what in left_out:
    print(f"LEFT OUT: {what}")
sys.exit(1 if failed else 3 if left_out else 0)
