#!/bin/sh
# Drives `wizard serve` with real clients: curl, a Python client of Server-Sent Events, promtool and schemathesis.
# Exit status: 0 all passed, 1 something failed, 3 left out (no curl, no Python, no pip, or no way to get the clients).
set -eu
cd "$(dirname "$0")/../.."

clients="requests==2.32.3 sseclient-py==1.8.0 schemathesis==4.32.5"
venv=.build/venv-http
wizard=.build/debug/wizard
promtool=.build/promtool/usr/bin/promtool

left_out() {
    echo "LEFT OUT: the tests of the HTTP server with real clients: $1"
    exit 3
}

command -v curl > /dev/null || left_out "curl is not installed"
command -v python3 > /dev/null || left_out "python3 is not installed"
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv" || left_out "python3 can't make a virtual environment (Debian: python3-venv)"
fi
"$venv/bin/python" -m pip --version > /dev/null || left_out "pip is not installed"
# shellcheck disable=SC2086
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check $clients || left_out "pip can't install $clients"

# promtool alone, out of Debian's package: installing that would start a service.
if command -v promtool > /dev/null; then
    promtool=$(command -v promtool)
elif [ ! -x "$promtool" ] && command -v apt-get > /dev/null; then
    mkdir -p .build/promtool
    (cd .build/promtool && apt-get download -qq prometheus && dpkg-deb -x prometheus_*.deb .) || true
fi

[ -x "$wizard" ] || swift build --product wizard

"$venv/bin/python" -B Tests/Integration/http_server.py "$wizard" "$promtool"
