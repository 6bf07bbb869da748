#!/bin/sh
# Sets up the gateway with `wizard setup`: pip installs a small package for real into a real virtual environment, `ollama` is the
# stand-in, and a set-up that is killed in the middle is run again.
# Exit status: 0 all passed, 1 something failed, 3 left out (no Python, no venv, or no package index).
set -eu
cd "$(dirname "$0")/../.."

left_out() {
    echo "LEFT OUT: setting up the gateway: $1"
    exit 3
}

fail() {
    echo "setup: $1"
    [ ! -f "$place/out" ] || cat "$place/out"
    exit 1
}

command -v python3 > /dev/null || left_out "python3 is not installed"
place=$(mktemp -d)
pids= port_pid=
trap 'for pid in $pids $port_pid; do kill "$pid" 2> /dev/null || true; done; rm -rf "$place"' EXIT
python3 -m venv "$place/probe" > /dev/null 2>&1 || left_out "python3 can't make a virtual environment (Debian: python3-venv)"
"$place/probe/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps -d "$place/download" cowsay==6.1 \
    > /dev/null 2>&1 || left_out "pip reaches no package index"

wizard=$PWD/.build/debug/wizard
server=$PWD/.build/debug/ollama-stand-in
{ [ -x "$wizard" ] && [ -x "$server" ]; } || swift build

# A port that stays bound, so that the system gives it to nobody else, and that a server can take all the same.
(cd Tests/Integration && exec python3 -B -c 'import bound_ports, time; print(bound_ports.free_port(), flush=True); time.sleep(100000)') \
    > "$place/port" &
port_pid=$!
until [ -s "$place/port" ]; do kill -0 "$port_pid" 2> /dev/null || fail "no port could be bound"; sleep 0.1; done
port=$(cat "$place/port")
mkdir "$place/bin"
# It counts its starts; 600 MB at the stand-in's 30 MB/s are twenty seconds.
cat > "$place/bin/ollama" << END
#!/bin/sh
echo \$\$ >> "$place/pids"
exec "$server" --port "$port" --model small=600 --model second=1
END
chmod +x "$place/bin/ollama"

PATH="$place/bin:$PATH"
export PATH
set -- "$wizard" setup --data "$place/data" --venv "$place/venv" --package cowsay==6.1 --command cowsay \
    --ollama "127.0.0.1:$port" --modes "$place/ok_modes.json" --models small,second

# Killed while it pulls.
"$@" > "$place/out" 2>&1 &
wizard_pid=$!
tries=0
while ! grep -q 'downloading' "$place/out" 2> /dev/null; do
    tries=$((tries + 1))
    { [ "$tries" -le 1200 ] && kill -0 "$wizard_pid" 2> /dev/null; } || fail "the pull did not begin"
    sleep 0.1
done
kill -KILL "$wizard_pid"
wait "$wizard_pid" 2> /dev/null || true
pids=$(cat "$place/pids")
[ -x "$place/venv/bin/cowsay" ] || fail "pip installed nothing"
[ ! -e "$place/ok_modes.json" ] || fail "a file of modes before its time"
kill -0 "$pids" || fail "the server did not outlive the set-up"

# Run again: what is finished is not done again.
"$@" > "$place/out" 2>&1 || fail "the second set-up did not succeed"
grep -q 'cowsay is there already' "$place/out" || fail "the package was installed again"
grep -q 'answers already' "$place/out" || fail "the server was started again"
[ "$(wc -l < "$place/pids")" = 1 ] || fail "the server was started twice"
python3 - "$place/ok_modes.json" << 'END' || fail "the file of modes is wrong"
import json, sys
mode = json.load(open(sys.argv[1]))["modes"]["ofvibe"]
assert mode["models"] == [{"name": n, "availability": ["core"]} for n in ("small", "second")], mode
assert mode["default_models"] == {"core": "small", "dev": "small", "fallback": "small"}, mode
END

# The history tells the truth about both, and about their parts.
"$wizard" history --data "$place/data" --json > "$place/out"
python3 - "$place/out" << 'END' || fail "the history is wrong"
import json, sys
text = open(sys.argv[1]).read()
try:
    rows = json.loads(text)["operations"]
except (ValueError, KeyError, TypeError):
    rows = [json.loads(line) for line in text.splitlines()]
states = sorted((r["operation_type"], r["status"], r["error_code"] or "") for r in rows)
assert ("ok_setup", "failed", "interrupted") in states and ("ok_setup", "completed", "") in states, states
assert ("install", "completed", "") in states and ("pull_model", "failed", "interrupted") in states, states
assert all(r["finished_at"] for r in rows), rows
END
echo "setup: passed"
