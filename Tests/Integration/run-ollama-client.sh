#!/bin/sh
# Runs the official Python client against the stand-in of a debug build.
# Exit status: 0 all passed, 1 something failed, 3 left out (no Python, no pip, or no way to get the client).
set -eu
cd "$(dirname "$0")/../.."

client=ollama==0.6.3
venv=.build/venv
server=.build/debug/ollama-stand-in
output=.build/ollama-stand-in.out

left_out() {
    echo "LEFT OUT: the test with the official Ollama client: $1"
    exit 3
}

command -v python3 > /dev/null || left_out "python3 is not installed"
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv" || left_out "python3 can't make a virtual environment (Debian: python3-venv)"
fi
"$venv/bin/python" -m pip --version > /dev/null || left_out "pip is not installed"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$client" || left_out "pip can't install $client"

[ -x "$server" ] || swift build --product ollama-stand-in

: > "$output" # emptied before the server starts, so that an old address is never read
# At 30 MB/s there are seconds of progress before anything ends.
"$server" --port 0 --model whole=240 --model cut=240 --cut cut=210000000 \
    --model broken=240 --error broken=210000000 > "$output" &
pid=$!
trap 'kill "$pid" 2> /dev/null || true; wait "$pid" || true' EXIT

# It says where it listens once it does.
tries=0
while ! grep -q '^listening on ' "$output"; do
    tries=$((tries + 1))
    if [ "$tries" -gt 1200 ] || ! kill -0 "$pid" 2> /dev/null; then
        echo "ollama client: the stand-in did not start"
        exit 1
    fi
    sleep 0.1
done

"$venv/bin/python" Tests/Integration/ollama_client.py "$(sed -n 's/^listening on //p' "$output")"
