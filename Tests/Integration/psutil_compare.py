"""Compares the sampler of a `resource-probe` with psutil, on real processes.

usage: psutil_compare.py PROBE

A figure agrees when it is within 5 points (per cent of a core) or 10 % of psutil's. The machine's own CPU use changes from
moment to moment, so both measure the same span; a span that one of them saw differently is measured again, up to eight times,
and so is memory: a machine that stands still between the two makes them differ.
"""

import json
import os
import signal
import subprocess
import sys
import time

import psutil

BURN = "while True: pass"
# Two children that burn half a core each by working and sleeping, and a parent that waits.
FAMILY = """
import subprocess, sys
half = "import time\\nwhile True:\\n e = time.perf_counter() + 0.02\\n while time.perf_counter() < e: pass\\n time.sleep(0.02)"
children = [subprocess.Popen([sys.executable, "-c", half]) for _ in range(2)]
print("ready", flush=True)
for child in children: child.wait()
"""
HOLD = """
block = bytearray(300 << 20)
for page in range(0, len(block), 4096): block[page] = 1
print("ready", flush=True)
import time
time.sleep(600)
"""
# Burns for half a second in children that are waited for, again and again: their time is found in the parent's only.
SHORT_LIVED = """
import subprocess, sys
print("ready", flush=True)
while True: subprocess.run([sys.executable, "-c", "import time\\ne = time.perf_counter() + 0.1\\nwhile time.perf_counter() < e: pass"])
"""


def start(code):
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout.readline() == "ready\n"
    return process


class Probe:
    def __init__(self, program, pids):
        self.process = subprocess.Popen(
            [program, *map(str, pids)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def sample(self):
        self.process.stdin.write("\n")
        return json.loads(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        assert self.process.wait() == 0, "the probe failed"


def tree(pid):
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def cpu_seconds(pid):
    """Of the tree, with children that have ended and were waited for."""
    total = 0
    for process in tree(pid):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def resident(pid):
    return sum(process.memory_info().rss for process in tree(pid))


def agree(what, ours, theirs, points=5.0):
    assert ours is not None, f"{what}: the sampler has no figure, psutil {theirs:.1f}"
    difference = abs(ours - theirs)
    good = difference <= max(points, 0.1 * abs(theirs))
    print(f"{'same' if good else 'DIFFERENT'}: {what}: sampler {ours:.1f}, psutil {theirs:.1f}")
    return good


def compare_span(probe, processes, seconds=5.0):
    """One span, measured by both at once."""
    first = probe.sample()
    assert all(impact["cpu_percent"] is not None for impact in first["processes"].values())
    started = time.monotonic()
    before = {name: cpu_seconds(process.pid) for name, process in processes.items()}
    psutil.cpu_percent()
    time.sleep(seconds)
    sample = probe.sample()
    elapsed = time.monotonic() - started
    host = psutil.cpu_percent() * psutil.cpu_count()
    after = {name: cpu_seconds(process.pid) for name, process in processes.items()}

    good = agree("CPU of the machine", sample["host"]["cpu_percent"], host, points=5.0 * psutil.cpu_count())
    for name, process in processes.items():
        theirs = (after[name] - before[name]) / elapsed * 100
        good &= agree(f"CPU of {name}", sample["processes"][str(process.pid)]["cpu_percent"], theirs)
    total = sum(impact["cpu_percent"] for impact in sample["processes"].values())
    good &= agree("CPU of all together", sample["totals"]["cpu_percent"], total)
    return good


def compare_memory(probe, processes):
    sample = probe.sample()
    megabyte = 1 << 20
    good = True
    for name in ("holder", "family"):
        pid = processes[name].pid
        ours = sample["processes"][str(pid)]["memory_bytes"] / megabyte
        good &= agree(f"memory of {name} in MB", ours, resident(pid) / megabyte)
    held = sample["processes"][str(processes["holder"].pid)]["memory_bytes"] / megabyte
    if not 300 <= held <= 340:
        print(f"DIFFERENT: the process that holds 300 MB has {held:.0f}")
        good = False

    memory = psutil.virtual_memory()
    good &= agree("memory of the machine in MB", sample["host"]["memory_total_bytes"] / megabyte, memory.total / megabyte)
    good &= agree("memory left in MB", sample["host"]["memory_available_bytes"] / megabyte, memory.available / megabyte)
    good &= agree("disk left in MB", sample["host"]["disk_available_bytes"] / megabyte, psutil.disk_usage("/tmp").free / megabyte)
    good &= agree("cores", sample["host"]["core_count"], psutil.cpu_count(), points=0)
    good &= agree("load average", sample["host"]["load_average"], psutil.getloadavg()[0], points=0.5)
    return good


def main(program):
    codes = {
        "burner": f"print('ready', flush=True)\n{BURN}",
        "family": FAMILY,
        "holder": HOLD,
        "short-lived children": SHORT_LIVED,
    }
    processes = {}
    try:
        for name, code in codes.items():
            processes[name] = start(code)
        probe = Probe(program, [process.pid for process in processes.values()])
        probe.sample()
        spans_agree = any(compare_span(probe, processes) for _ in range(8))
        good = any(compare_memory(probe, processes) for _ in range(8)) and spans_agree
        probe.end()
    finally:
        for process in processes.values():
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    print("psutil and the sampler agree" if good else "FAILED: psutil and the sampler disagree")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
