"""Seeds icons with `wizard seed` from a Noun Project that verifies every signature with oauthlib.

usage: noun_project.py WIZARD
"""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import noun_project_server as noun
from noun_project_server import SERVICE

# Whoever is started in the background of a shell inherits SIGINT as ignored, and would pass that on to what is interrupted here.
signal.signal(signal.SIGINT, signal.default_int_handler)
WIZARD = os.path.abspath(sys.argv[1])
BASE = noun.start()
FAILURES = []


class Seeding:
    """A data folder and runs of `wizard seed` in it."""

    def __init__(self):
        self.data = Path(tempfile.mkdtemp(prefix="noun-project-"))
        self.root = self.data / "icons"
        SERVICE.reset()

    def environment(self, **changes):
        names = {"NOUNPROJECT_API_KEY": noun.KEY, "NOUNPROJECT_API_SECRET": noun.SECRET, "NOUNPROJECT_API_BASE": BASE}
        clean = {k: v for k, v in os.environ.items() if not k.startswith("NOUNPROJECT_") and not k.lower().endswith("_proxy")}
        return {**clean, **{k: v for k, v in {**names, **changes}.items() if v is not None}}

    def arguments(self, categories, options):
        arguments = [WIZARD, "seed", "--data", str(self.data), "--json", *options]
        if categories is not None:
            path = self.data / "categories.json"
            # In one step: a run that has begun already may be reading it.
            part = path.with_suffix(".part")
            part.write_text(json.dumps(categories))
            part.replace(path)
            arguments += ["--categories", str(path)]
        return arguments

    def start(self, categories=None, *options):
        return subprocess.Popen(
            self.arguments(categories, options), env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self, categories=None, *options, **environment):
        done = subprocess.run(
            self.arguments(categories, options), env=self.environment(**environment), capture_output=True, text=True, timeout=300
        )
        return Ended(self, done.returncode, done.stdout, done.stderr)

    def icons(self):
        return sorted(str(p.relative_to(self.root)) for p in self.root.rglob("*") if p.is_file() and p.suffix in (".svg", ".png"))

    def parts(self):
        return [str(p) for p in self.root.rglob("*.part")]

    def index(self):
        return json.loads((self.root / "index.json").read_text())["icons"]

    def shows_no_secret(self, *texts):
        """No key, secret, signature or signed link in what was said or is kept."""
        kept = b"".join(p.read_bytes() for p in self.data.rglob("*") if p.is_file())
        for secret in (noun.KEY, noun.SECRET, "hush-hush", "oauth_signature", "oauth_nonce"):
            check(secret.encode() not in kept, f"{secret!r} is kept in {self.data}")
            check(all(secret not in text for text in texts), f"{secret!r} is shown")


class Ended:
    def __init__(self, seeding, code, out, err):
        self.code, self.out, self.err = code, out, err
        lines = [json.loads(line) for line in out.splitlines()]
        self.operation = lines[-1] if lines else {}
        self.result = None
        if self.operation.get("status") == "completed":
            shown = subprocess.run(
                [WIZARD, "show", self.operation["operation_id"], "--data", str(seeding.data), "--json"], capture_output=True, text=True
            )
            self.result = json.loads(shown.stdout)["result"]
        seeding.shows_no_secret(out, err)


def check(condition, what):
    if not condition:
        FAILURES.append(what)
        print(f"    NOT SO: {what}")


def equal(found, wanted, what):
    check(found == wanted, f"{what}: {found!r}, not {wanted!r}")


ALLOWED = set(
    "svg g defs symbol path rect circle ellipse line polyline polygon text use title desc tspan style linearGradient radialGradient"
    " stop clipPath mask pattern marker".split()
)


def check_clean(path):
    """An independent reader (expat) finds nothing but harmless elements and attributes."""
    text = path.read_text()
    check("<!" not in text and "<?" not in text, f"{path} has a declaration")
    for element in ET.fromstring(text).iter():
        name = element.tag.removeprefix("{http://www.w3.org/2000/svg}")
        check(name in ALLOWED, f"{path} has <{name}>")
        if name == "style":
            check(not re.search(r"@|\\|url\((?!'?#)|expression|[<>]", element.text or ""), f"{path} has the style {element.text}")
        for key, value in element.attrib.items():
            local = key.split("}")[-1]
            check(not local.lower().startswith("on"), f"{path} has {local}")
            check(local not in ("src", "data", "base", "lang", "filter"), f"{path} has {local}")
            if local == "href":
                check(value.startswith("#"), f"{path} refers to {value}")
            elif local == "style":
                check(not re.search(r"@|\\|url\((?!'?#)|expression", value), f"{path} has style={value}")
            else:
                check(not re.search(r":|//|\\|url\((?!'?#)", value), f"{path} has {local}={value}")


def the_default_set_is_seeded_and_not_twice(s):
    first = s.run()
    equal((first.code, first.operation["status"]), (0, "completed"), "the first run")
    equal(first.result["added"], 17, "icons")
    equal(len(s.icons()), 17, "files")
    equal(SERVICE.refused, 0, "refused signatures")
    equal(sorted(s.index()), s.icons(), "the index")
    check(all(e["attribution"] and e["license_description"] and e["creator"] == "Ann" for e in s.index().values()), "attributions")
    for icon in s.icons():
        check_clean(s.root / icon)
    calls = len(SERVICE.calls)
    equal(calls, 34, "calls")
    second = s.run()
    equal((second.code, second.result["skipped"], len(SERVICE.calls)), (0, 17, calls), "the second run")
    check("4560 calls left of the key's monthly quota" in first.out, "the quota left is shown")


def pictures_are_seeded(s):
    ended = s.run({"ui": ["check", "close"]}, "--format", "png", "--per-term", "2", "--root", str(s.data / "elsewhere"))
    equal(ended.result["added"], 4, "pictures")
    s.root = s.data / "elsewhere"
    check(all((s.root / icon).read_bytes() == noun.PNG for icon in s.icons()), "the pictures are as they came")


def odd_terms_are_signed_as_oauthlib_has_it(s):
    chance = random.Random(5849)
    alphabet = "abcXYZ 0189-._~!'()*%&=+/?#[]@:;,$\"\\<>|{}^`éß中א😀\u0301"
    terms = ["".join(chance.choice(alphabet) for _ in range(chance.randint(1, 20))) for _ in range(40)]
    terms = [t for t in dict.fromkeys(terms) if t.strip()] + ["../../etc/passwd", "a" * 200, "😀"]
    ended = s.run({"odd": terms})
    equal((ended.code, ended.result and ended.result["added"]), (0, len(terms)), "terms")
    equal(SERVICE.refused, 0, "refused signatures")
    equal({q["query"] for p, q in SERVICE.calls if p == "/v2/icon"}, set(terms), "what was searched")
    check(all(re.fullmatch(r"odd/[a-z0-9-]{1,60}-\d+\.svg", icon) for icon in s.icons()), "names of files")
    equal(sorted(p.name for p in s.data.iterdir() if p.is_dir()), ["icons", "owners"], "folders")


def a_wrong_secret_is_the_end(s):
    ended = s.run(NOUNPROJECT_API_SECRET="wrong")
    equal((ended.code, ended.operation["error_code"]), (1, "unauthorized"), "the run")
    check("https://thenounproject.com/developers" in ended.operation["error"], "it says where keys come from")
    equal((SERVICE.refused, s.icons()), (1, []), "calls and files")


def missing_keys_are_wrong_usage(s):
    for name in ("NOUNPROJECT_API_KEY", "NOUNPROJECT_API_SECRET"):
        ended = s.run(**{name: None})
        equal(ended.code, 2, "the exit")
        check(name in ended.err and "https://thenounproject.com/developers" in ended.err, "it says which, and where keys come from")
    equal([p.name for p in s.data.iterdir()], [], "the data folder")


def a_search_that_is_not_permitted_is_the_end(s):
    SERVICE.rule = lambda path, query, count: (403, {}, {"message": "plan"})
    ended = s.run()
    equal((ended.code, ended.operation["error_code"], len(SERVICE.calls)), (1, "not_permitted", 1), "the run")


def a_download_that_is_not_permitted_takes_the_link(s):
    SERVICE.has_links = True
    SERVICE.rule = lambda path, query, count: (403, {}, {}) if path.endswith("/download") else None
    ended = s.run({"ui": ["check", "close"]})
    equal((ended.code, ended.result["added"]), (0, 2), "the run")
    SERVICE.has_links = False
    ended = s.run({"ui": ["menu"], "nav": ["up"]})
    equal((ended.code, ended.operation["error_code"]), (1, "not_permitted"), "without links")


def a_term_without_icons_is_a_warning(s):
    SERVICE.rule = lambda path, query, count: (404, {}, {"message": "none"}) if query.get("query") == "close" else None
    SERVICE.found = lambda term, limit: [] if term == "menu" else [noun.icon_id(term, 0)]
    ended = s.run({"ui": ["check", "close", "menu", "plus"]})
    equal((ended.code, ended.result["added"]), (0, 2), "the run")
    equal([(e["term"], e["code"]) for e in ended.result["errors"]], [("close", "not_found"), ("menu", "not_found")], "errors")


def too_many_calls_are_waited_for(s):
    SERVICE.rule = lambda path, query, count: (429, {"Retry-After": "1"}, {}) if count == 2 else None
    start = time.monotonic()
    ended = s.run({"ui": ["check"]})
    equal((ended.code, ended.result["added"]), (0, 1), "the run")
    check(time.monotonic() - start >= 1, "it waited as long as it was asked to")
    check('"phase":"waiting for quota"' in ended.out and "The next call comes at" in ended.out, "it says that it waits, and for when")


def too_many_calls_without_a_time_are_waited_for_and_interrupted(s):
    SERVICE.rule = lambda path, query, count: (429, {}, {}) if count == 2 else None
    process = s.start({"ui": ["check"]})
    for line in process.stdout:
        operation = json.loads(line)
        if operation["phase"] == "waiting for quota":
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    equal((process.returncode, json.loads(out.splitlines()[-1])["status"]), (130, "cancelled"), "interrupted while it waits")
    equal((s.icons(), s.parts()), ([], []), "files")
    equal(s.index(), {}, "the index")


def a_quota_used_up_half_way_loses_nothing(s):
    used = {"monthly": {"limit": 444, "usage": 444}}
    SERVICE.rule = lambda path, query, count: (429, {}, {"usage_limits": used}) if count > 7 else None
    wanted = {"ui": ["check", "close", "menu", "plus", "minus"]}
    first = s.run(wanted)
    equal((first.code, first.operation["error_code"]), (1, "quota_exhausted"), "the first run")
    check(re.search(r"after \d{4}-\d\d-01 00:00 UTC", first.operation["error"]), "it says when to go on")
    had = s.icons()
    equal((len(had), sorted(s.index())), (3, had), "what there is")
    SERVICE.rule = lambda path, query, count: None
    tried = SERVICE.downloads()
    second = s.run(wanted)
    equal((second.code, second.result["added"], second.result["skipped"]), (0, 2, 3), "the second run")
    equal(sorted(SERVICE.downloads()[len(tried):]), sorted(noun.icon_id(t, 0) for t in ("plus", "minus")), "what was fetched then")


EVIL = {
    "script": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script><path d="M0 0"/></svg>',
    "foreign": b'<svg xmlns="http://www.w3.org/2000/svg"><foreignObject><body xmlns="http://www.w3.org/1999/xhtml"><img src="x" '
    b'onerror="alert(1)"/></body></foreignObject><path d="M0 0"/></svg>',
    "links": b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:l="http://www.w3.org/1999/xlink"><a l:href="java&#10;script:alert(1)">'
    b'<path d="M0 0"/></a><use l:href="http://evil.example/x.svg#a"/><image href="data:image/svg+xml;base64,PHN2Zy8+"/></svg>',
    "styles": b'<svg xmlns="http://www.w3.org/2000/svg"><style>@import url(http://evil.example);.a{fill:u\\72l(http://evil.example)}'
    b'.b{fill:url(#c)}</style><path style="fill:url(http://evil.example)" fill="URL(//evil.example)" d="M0 0"/></svg>',
    "animated": b'<svg xmlns="http://www.w3.org/2000/svg"><set attributeName="href" to="javascript:alert(1)"/><path d="M0 0"/></svg>',
    "prefixed": b'<x:svg xmlns:x="http://www.w3.org/2000/svg"><x:script>alert(1)</x:script><x:path d="M0 0"/></x:svg>',
    "wrapped": b'<?xml version="1.0"?><?xml-stylesheet href="http://evil.example"?><!-- x --><!DOCTYPE svg PUBLIC "a" "http://evil.example">'
    b'<svg xmlns="http://www.w3.org/2000/svg"><text><![CDATA[</text><script>alert(1)</script>]]></text></svg>',
}
REFUSED = {
    "bomb": b'<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><svg xmlns="http://www.w3.org/2000/svg"><text>&b;</text></svg>',
    "file": b'<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg"><text>&a;</text></svg>',
    "uses": b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/>'
    + b"".join(b'<g id="l%d">%s</g>' % (n, b'<use href="#l%d"/>' % (n - 1) * 10) for n in range(1, 10)) + b'<g id="l0"><path/></g></svg>',
    "circle": b'<svg xmlns="http://www.w3.org/2000/svg"><g id="a"><use href="#a"/></g></svg>',
    "utf16": noun.SVG.decode().encode("utf-16"),
    "html": b"<html><script>alert(1)</script></html>",
    "empty": b"<svg/>",
    "large": b'<svg xmlns="http://www.w3.org/2000/svg"><desc>' + b"x" * (50 << 20) + b"</desc></svg>",
}


def evil_files_are_cleaned_or_refused(s):
    files = {**EVIL, **REFUSED}
    numbers = {name: str(number + 1) for number, name in enumerate(files)}
    SERVICE.found = lambda term, limit: [numbers[term]]
    SERVICE.file = lambda number, kind: next(files[name] for name in files if numbers[name] == number)
    ended = s.run({"evil": list(files)})
    equal(ended.code, 0, "the run")
    equal(sorted(e["term"] for e in ended.result["errors"]), sorted(REFUSED), "what was refused")
    equal(s.icons(), sorted(f"evil/{name}-{numbers[name]}.svg" for name in EVIL), "what was kept")
    for icon in s.icons():
        check_clean(s.root / icon)
    equal(sorted(s.index()), s.icons(), "the index")


def evil_ids_stay_outside(s):
    ids = ["../../../evil", "/etc/passwd", "..", "1\u0000", "9" * 4000, "😀", "", 7, "1/../../x"]
    SERVICE.found = lambda term, limit: [ids[int(term)]]
    ended = s.run({"ids": [str(n) for n in range(len(ids))]})
    equal((ended.code, ended.result["added"]), (0, 1), "the run")
    equal(s.icons(), ["ids/7-7.svg"], "files")
    equal(len(ended.result["errors"]), len(ids) - 1, "errors")


def evil_requests_are_refused_before_any_call(s):
    for categories in ({"../x": ["a"]}, {"a\u0000": ["a"]}, {"x" * 4000: ["a"]}, {"😀": ["a"]}, {"": ["a"]}, {"a": ["x" * 4000]},
                       {"a": ["a\u0000b"]}, {"a": [""]}, {}, {"A": ["a"], "a": ["b"]}):
        ended = s.run(categories)
        equal(ended.code, 2, str(categories)[:40])
    equal((SERVICE.calls, s.root.exists()), ([], False), "calls and folder")
    (s.data / "broken.json").write_text("{")
    for options in (["--categories", str(s.data / "broken.json")], ["--categories", "/no/such"], ["--per-term", "6"], ["--format", "gif"]):
        equal(s.run(None, *options).code, 2, " ".join(options))


def killed_in_the_middle_it_goes_on(s):
    wanted = {"ui": ["check", "close", "menu"], "nav": ["up", "down"]}
    SERVICE.delay = 0.02
    rounds = 0
    while rounds < 12:
        process = s.start(wanted, "--per-term", "5")
        time.sleep(0.25 + 0.07 * rounds)
        process.kill()
        process.communicate()
        rounds += 1
        for icon in s.icons():
            check_clean(s.root / icon)
            check(icon in s.index(), f"{icon} is in the index")
        if len(s.icons()) >= 20:
            break
    ended = s.run(wanted, "--per-term", "5")
    equal((ended.code, len(s.icons()), s.parts()), (0, 25, []), "the last run")
    equal(sorted(s.index()), s.icons(), "the index")
    downloads = SERVICE.downloads()
    check(len(downloads) <= 25 + rounds, f"{len(downloads)} downloads for 25 icons: only what was under way when killed is fetched again")
    print(f"    killed {rounds} times, {len(downloads)} downloads for 25 icons")


def interrupted_it_is_cancelled(s):
    # The fourth comes only when all is over: until then it stands in the middle.
    is_over = threading.Event()

    def rule(path, query, count):
        if len(SERVICE.downloads()) > 3:
            is_over.wait(300)

    SERVICE.rule = rule
    process = s.start({"ui": ["check", "close", "menu", "plus", "minus"]}, "--per-term", "5")
    deadline = time.monotonic() + 120
    while len(SERVICE.downloads()) < 3 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    check(len(SERVICE.downloads()) >= 3, f"three downloads begin: {len(SERVICE.downloads())}")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    is_over.set()
    equal((process.returncode, json.loads(out.splitlines()[-1])["status"]), (130, "cancelled"), "the run")
    equal(s.parts(), [], "half-written files")
    equal(sorted(s.index()), s.icons(), "the index")


def two_at_once_fill_one_folder(s):
    SERVICE.delay = 0.01
    processes = [s.start({"ui": ["check", "close", "menu"]}, "--per-term", n) for n in ("2", "3", "4")]
    # All of them at once: one whose pipe is full would wait until it is read.
    with ThreadPoolExecutor() as readers:
        list(readers.map(lambda process: process.communicate(timeout=300), processes))
    equal([p.returncode for p in processes], [0, 0, 0], "the runs")
    equal((len(s.icons()), sorted(s.index()), s.parts()), (12, s.icons(), []), "files")
    equal(json.loads((s.data / "noun-project-calls.json").read_text())["calls"], len(SERVICE.calls), "the count of calls")


def a_full_disk_leaves_no_half_file(s):
    s.root.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(s.root)], capture_output=True)
    if mounted.returncode:
        return "no tmpfs can be mounted here"
    try:
        SERVICE.file = lambda number, kind: noun.SVG.replace(b"</svg>", b"<desc>%s</desc></svg>" % (b"x" * 15_000))
        wanted = {"ui": ["check", "close", "menu", "plus", "minus"]}
        first = s.run(wanted)
        equal((first.code, first.operation["error_code"]), (1, "disk_full"), "the first run")
        check(0 < len(s.icons()) < 5 and not s.parts(), f"whole files only: {s.icons()}, {s.parts()}")
        for icon in s.icons():
            check_clean(s.root / icon)
        subprocess.run(["mount", "-o", "remount,size=1m", str(s.root)], check=True)
        second = s.run(wanted)
        equal((second.code, second.result["added"] + second.result["skipped"]), (0, 5), "with more room")
        equal(sorted(s.index()), s.icons(), "the index")
    finally:
        subprocess.run(["umount", "-l", str(s.root)], check=True)


SCENARIOS = [
    the_default_set_is_seeded_and_not_twice, pictures_are_seeded, odd_terms_are_signed_as_oauthlib_has_it, a_wrong_secret_is_the_end,
    missing_keys_are_wrong_usage, a_search_that_is_not_permitted_is_the_end, a_download_that_is_not_permitted_takes_the_link,
    a_term_without_icons_is_a_warning, too_many_calls_are_waited_for, too_many_calls_without_a_time_are_waited_for_and_interrupted,
    a_quota_used_up_half_way_loses_nothing, evil_files_are_cleaned_or_refused, evil_ids_stay_outside,
    evil_requests_are_refused_before_any_call, killed_in_the_middle_it_goes_on, interrupted_it_is_cancelled,
    two_at_once_fill_one_folder, a_full_disk_leaves_no_half_file,
]

left_out = 0
for scenario in SCENARIOS:
    print(f"  {scenario.__name__.replace('_', ' ')}")
    seeding = Seeding()
    try:
        missing = scenario(seeding)
        if missing:
            left_out += 1
            print(f"    LEFT OUT: {missing}")
    except Exception as error:  # a scenario that can't go on has failed; the others still tell something
        check(False, f"{scenario.__name__}: {type(error).__name__}: {error}")
    finally:
        shutil.rmtree(seeding.data, ignore_errors=True)

print(f"noun project: {len(SCENARIOS) - left_out} scenarios, {left_out} left out, {len(FAILURES)} things not so")
sys.exit(1 if FAILURES else 0)
