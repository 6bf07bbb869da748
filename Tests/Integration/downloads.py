"""Downloads from a real nginx: ranges on and off, changed files, cut connections, a full disk, kill -9, memory, limits, a proxy.

usage: downloads.py NGINX WIZARD PROBE
"""

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable

from bound_ports import free_port

# Whoever is started in the background of a shell inherits SIGINT as ignored, and would pass that on to what is interrupted here.
signal.signal(signal.SIGINT, signal.default_int_handler)
nginx, wizard, probe = (os.path.abspath(path) for path in sys.argv[1:4])
home = Path(tempfile.mkdtemp(prefix="downloads-"))
served, data, place = home / "served", home / "data", home / "place"
# At 2 MB/s there are more than ten seconds in which something can be done in the middle of it.
SLOW = 24_000_000
failures: list[str] = []
left_out: list[str] = []


def check(what: str, holds: bool, found: object = "") -> None:
    print(f"  {'ok  ' if holds else 'FAIL'} {what}{'' if holds else f': {found}'}", flush=True)
    if not holds:
        failures.append(what)


# --- nginx ---

port = free_port()
base = f"http://127.0.0.1:{port}"


def start_nginx() -> subprocess.Popen:
    paths = "\n".join(
        f"    {name}_temp_path {home}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = f"""
daemon off;
pid {home}/pid;
error_log {home}/errors;
worker_processes 1;
{"user root;" if os.getuid() == 0 else ""}
events {{}}
http {{
{paths}
    log_format probed '$uri $status $body_bytes_sent $http_range';
    access_log {home}/log probed;
    sendfile on;
    gzip on; gzip_types *; gzip_min_length 1;
    server {{
        listen 127.0.0.1:{port};
        root {served};
        location /plain/ {{ alias {served}/; }}
        location /slow/ {{ alias {served}/; limit_rate 2m; }}
        location /slow-no-ranges/ {{ alias {served}/; limit_rate 2m; max_ranges 0; }}
        location /slow-no-tag/ {{ alias {served}/; limit_rate 2m; etag off; }}
        location /loop/ {{ return 302 /loop/again; }}
        location /out/ {{ return 302 file:///etc/passwd; }}
        location /busy/ {{ add_header Retry-After 2 always; return 503; }}
    }}
    server {{
        # Asked by a client that takes it for its proxy.
        listen 127.0.0.1:{port};
        server_name files.invalid;
        root {served};
    }}
}}
"""
    (home / "nginx.conf").write_text(configuration)
    server = subprocess.Popen([nginx, "-p", str(home), "-e", str(home / "errors"), "-c", str(home / "nginx.conf")])
    for _ in range(2400):
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return server
        time.sleep(0.05)
    server.terminate()
    sys.exit("nginx did not start: " + (home / "errors").read_text())


def workers(server: subprocess.Popen) -> list[int]:
    text = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text()
    return [int(pid) for pid in text.split()]


def answers(path: str) -> list[list[str]]:
    """What nginx has answered for a path: that, status, bytes, range."""
    lines = [line.split(" ", 3) for line in (home / "log").read_text().splitlines()]
    return [line for line in lines if line[0] == path]


def answered(path: str, status: int, is_so: Callable[[int], bool]) -> bool:
    """Waits for an answer of that status and number of bytes: nginx writes a line some time after the answer is over."""
    for _ in range(1200):
        if any(line[1] == str(status) and is_so(int(line[2])) for line in answers(path)):
            return True
        time.sleep(0.05)
    return False


# --- the wizard ---

def start(
    url: str, target: Path, *more: str, environment: dict[str, str] | None = None, output: int = subprocess.PIPE
) -> subprocess.Popen:
    clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return subprocess.Popen(
        [wizard, "download", url, "-o", str(target), "--data", str(data), "--json", *more],
        stdout=output, stderr=output, env=clean | (environment or {}), text=True,
    )


def ending(process: subprocess.Popen) -> dict:
    output, errors = process.communicate()
    if process.returncode not in (0, 1, 130):
        return {"status": f"exit {process.returncode}: {errors}"}
    return json.loads(output.splitlines()[-1])


def run(url: str, target: Path, *more: str, environment: dict[str, str] | None = None) -> dict:
    return ending(start(url, target, *more, environment=environment))


def wait_for_part(target: Path, size: int) -> int:
    part = target.with_name(target.name + ".part")
    for _ in range(6000):
        if part.exists() and part.stat().st_size >= size:
            return part.stat().st_size
        time.sleep(0.02)
    return 0


def wait_for_progress(process: subprocess.Popen, attempt: int) -> None:
    """Waits until an attempt has brought something."""
    begun = None
    for line in process.stdout:
        now = json.loads(line)
        if now["attempt"] != attempt:
            continue
        begun = now["completed_units"] if begun is None else begun
        if now["completed_units"] >= begun + 500_000:
            return


def names(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir() if path.name.startswith(target.name))


def digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else hashlib.sha256(file.read()).hexdigest()


def make(name: str, size: int) -> Path:
    path = served / name
    path.write_bytes(os.urandom(size))
    return path


def whole() -> None:
    source, target = make("whole", 5_000_000), place / "whole"
    end = run(f"{base}/plain/whole", target, "--sha256", digest(source))
    check("a file arrives and has its digest", end["status"] == "completed" and digest(target) == digest(source), end)
    check("nothing else is left", names(target) == ["whole"], names(target))
    end = run(f"{base}/plain/whole", place / "wrong", "--sha256", "0" * 64)
    check("a wrong digest is found", end["error_code"] == "integrity_error", end)
    check("and leaves nothing", names(place / "wrong") == [], names(place / "wrong"))
    end = run(f"{base}/plain/nothing", place / "nothing")
    check("a missing file is said to be missing", end["error_code"] == "not_found", end)
    end = run(f"{base}/loop/x", place / "x")
    check("endless redirects end", end["error_code"] == "protocol_error", end)
    end = run(f"{base}/out/x", place / "x")
    check("no redirect leads to a file", end["error_code"] == "invalid_request", end)
    end = run(f"{base}/busy/x", place / "x", "--retries", "1")
    waited = end["uptime_seconds"] >= 2
    check("Retry-After is waited for", end["error_code"] == "server_error" and end["attempt"] == 2 and waited, end)


def killed(location: str, resumes: bool) -> None:
    source, target = make(f"killed-{location}", SLOW), place / f"killed-{location}"
    # A time of last change tells versions apart only when it is past.
    os.utime(source, (time.time() - 3600,) * 2)
    url = f"{base}/{location}/{source.name}"
    first = start(url, target)
    size = wait_for_part(target, 1_000_000)
    first.kill()
    first.wait()
    check(f"{location}: killed in the middle, it leaves its part", 0 < size < SLOW, size)
    check(f"{location}: and nothing under the file's name", not target.exists())
    end = run(url, target)
    check(f"{location}: the next run completes it", end["status"] == "completed", end)
    check(f"{location}: byte for byte", digest(target) == digest(source))
    path = f"/{location}/{source.name}"
    if resumes:
        is_right = answered(path, 206, lambda count: count <= SLOW - size)
        check(f"{location}: by asking for the rest", is_right, answers(path))
    else:
        is_right = answered(path, 200, lambda count: count == SLOW)
        check(f"{location}: by asking for the whole", is_right, answers(path))
    check(f"{location}: nothing else is left", names(target) == [target.name], names(target))


def changed() -> None:
    source, target = make("changed", SLOW), place / "changed"
    first = start(f"{base}/slow/changed", target)
    wait_for_part(target, 1_000_000)
    first.send_signal(signal.SIGINT)
    check("Ctrl-C is recorded as cancelled", ending(first)["status"] == "cancelled")
    source = make("changed", 7_000_000)
    end = run(f"{base}/slow/changed", target)
    check("a changed file is begun again", end["status"] == "completed" and digest(target) == digest(source), end)
    is_right = answered("/slow/changed", 200, lambda count: count == 7_000_000)
    check("and its answer was the whole", is_right, answers("/slow/changed"))


def cut(server: subprocess.Popen) -> None:
    source, target = make("cut", SLOW), place / "cut"
    process = start(f"{base}/slow/cut", target)
    for attempt in (1, 2):
        # By what it says: of a connection that has been cut already there is nothing more to cut.
        wait_for_progress(process, attempt)
        for worker in workers(server):
            os.kill(worker, signal.SIGKILL)
    end = ending(process)
    check("a cut connection is tried again", end["status"] == "completed" and end["attempt"] == 3, end)
    check("and goes on where it was", end["rewound_mb"] == 0 and digest(target) == digest(source), end)


def full_disk() -> None:
    disk = home / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "none", str(disk)], capture_output=True).returncode != 0:
        left_out.append("the full disk: no tmpfs can be mounted here (needs root)")
        print(f"  LEFT OUT: {left_out[-1]}")
        return
    try:
        make("large", 80_000_000)
        end = run(f"{base}/plain/large", disk / "large")
        check("what can't fit is refused before it begins", end["error_code"] == "disk_full", end)
        check("and leaves nothing", names(disk / "large") == [], names(disk / "large"))
        source, target = make("filling", SLOW), disk / "filling"
        process = start(f"{base}/slow/filling", target)
        wait_for_part(target, 1_000_000)
        try:
            with open(disk / "other", "wb", buffering=0) as other:
                while other.write(bytes(100_000)) == 100_000:
                    pass
        except OSError:
            pass
        end = ending(process)
        check("a disk that fills up in the middle is said to be full", end["error_code"] == "disk_full", end)
        check("it isn't tried again", end["attempt"] == 1, end)
        check("the part is kept, and nothing under the file's name", names(target) == ["filling.part", "filling.part.json"], names(target))
        (disk / "other").unlink()
        end = run(f"{base}/plain/filling", target)
        check("another URL begins again", end["status"] == "completed", end)
        target.unlink()
        process = start(f"{base}/slow/filling", target)
        size = wait_for_part(target, 1_000_000)
        process.kill()
        process.wait()
        end = run(f"{base}/slow/filling", target)
        check("with room again it goes on", end["status"] == "completed" and digest(target) == digest(source), end)
        is_right = answered("/slow/filling", 206, lambda count: count <= SLOW - size)
        check("where it was", is_right, answers("/slow/filling"))
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def memory() -> None:
    def peak(name: str, size: int) -> int:
        with open(served / name, "wb") as file:
            file.truncate(size)
        # The small one is over so soon that a look may come only before it has grown, or not at all.
        return max(one_peak(name, size) for _ in range(5 if size < 1 << 30 else 1))

    def one_peak(name: str, size: int) -> int:
        # Nobody reads what it says meanwhile.
        process = start(f"{base}/plain/{name}", place / name, output=subprocess.DEVNULL)
        highest = 0
        # Looked at while it runs: what wait4 tells of a child includes the time before it became another program.
        while process.poll() is None:
            for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    highest = max(highest, int(line.split()[1]))
            time.sleep(0.01)
        check(f"{size >> 20} MB arrive", process.returncode == 0 and (place / name).stat().st_size == size, process.returncode)
        (place / name).unlink(missing_ok=True)
        return highest

    free = os.statvfs(place)
    if free.f_bavail * free.f_frsize < 4 << 30:
        left_out.append("the memory of a 2 GB download: there is no room for it")
        print(f"  LEFT OUT: {left_out[-1]}")
        return
    small, large = peak("small.img", 20 << 20), peak("large.img", 2 << 30)
    print(f"  peak memory: {small} KiB for 20 MB, {large} KiB for 2 GB")
    check("memory was measured", small > 5000 and large > 5000, (small, large))
    check("2 GB need at most 20 MB more memory than 20 MB", large - small <= 20 << 10, large - small)


def limits() -> None:
    with open(served / "endless", "wb") as file:
        file.truncate(1 << 30)

    def rates(shared: int, *own: int) -> list[float]:
        folder = Path(tempfile.mkdtemp(prefix="limits-", dir=place))
        arguments = [probe, str(folder), f"{base}/plain/endless", str(shared), *map(str, own)]
        found = subprocess.run(arguments, capture_output=True, text=True)
        check("the probe runs", found.returncode == 0, found.stderr)
        return [float(line) for line in found.stdout.split()]

    def near(found: float, wanted: float) -> bool:
        return abs(found - wanted) <= 0.05 * wanted

    def once_in_eight(shared: int, *own: int, wanted: list[int]) -> tuple[bool, list[float]]:
        """A machine that does something else meanwhile makes a transfer slower than its limit, one time or another."""
        for _ in range(8):
            found = rates(shared, *own)
            if len(found) == len(wanted) and all(map(near, found, wanted)):
                return True, found
        return False, found

    check("an own limit is kept within 5 % over 10 s", *once_in_eight(0, 3_000_000, wanted=[3_000_000]))
    is_even = once_in_eight(4_000_000, 0, 0, wanted=[2_000_000, 2_000_000])
    check("a shared limit is kept within 5 % over 10 s, and shared out evenly", *is_even)
    is_right = once_in_eight(4_000_000, 1_000_000, 0, wanted=[1_000_000, 3_000_000])
    check("both together: the slow one has its own, and the other what is left", *is_right)


def proxy() -> None:
    source = make("proxied", 1_000_000)
    through = {"http_proxy": base}
    end = run("http://files.invalid/proxied", place / "proxied", environment=through)
    check("the proxy of the environment is asked", end["status"] == "completed" and digest(place / "proxied") == digest(source), end)
    end = run("http://files.invalid/proxied", place / "p2", environment={"all_proxy": base})
    check("that of all_proxy too", end["status"] == "completed", end)
    # No resolver is asked for a label that is too long, so none can be slow or away.
    nowhere = "a" * 64 + ".invalid"
    end = run(f"http://{nowhere}/proxied", place / "p3", environment=through | {"no_proxy": nowhere})
    check("no_proxy holds", end["error_code"] == "host_not_found", end)


for folder in (served, data, place):
    folder.mkdir()
server = start_nginx()
try:
    for title, test in {
        "whole files and refusals": whole,
        "killed, with ranges and tags": lambda: killed("slow", True),
        "killed, with ranges and times": lambda: killed("slow-no-tag", True),
        "killed, without ranges": lambda: killed("slow-no-ranges", False),
        "a file that changes": changed,
        "cut connections": lambda: cut(server),
        "a full disk": full_disk,
        "a proxy": proxy,
        "memory": memory,
        "limits": limits,
    }.items():
        print(title, flush=True)
        test()
finally:
    server.terminate()
    server.wait()
    subprocess.run(["rm", "-rf", str(home)], check=True)

for what in left_out:
    print(f"LEFT OUT: {what}")
if failures:
    sys.exit(f"downloads: {len(failures)} failed: " + "; ".join(failures))
print(f"downloads: all passed{f', {len(left_out)} left out, see above' if left_out else ''}")
