#!/bin/sh
# Drives the dashboard of a debug build in Debian's Chromium.
# Exit status: 0 all passed, 1 something failed, 3 left out (no browser, no Python, or no way to get Playwright).
# With SCREENSHOTS=DIR it leaves a picture of each view there.
set -eu
cd "$(dirname "$0")/../.."

packages="playwright==1.65.2 axe-playwright-python==0.1.8"
venv=.build/venv

left_out() {
    echo "LEFT OUT: the dashboard in a browser: $1"
    exit 3
}

browser=$(command -v chromium || command -v chromium-browser) || left_out "Chromium is not installed (Debian: chromium)"
command -v python3 > /dev/null || left_out "python3 is not installed"
[ -x "$venv/bin/python" ] || python3 -m venv "$venv" || left_out "python3 can't make a virtual environment (Debian: python3-venv)"
# shellcheck disable=SC2086
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check $packages || left_out "pip can't install $packages"

swift build --product wizard
swift build --product ollama-stand-in
"$venv/bin/python" Tests/Browser/dashboard.py .build/debug/wizard .build/debug/ollama-stand-in "$browser" ${SCREENSHOTS:+"$SCREENSHOTS"}
