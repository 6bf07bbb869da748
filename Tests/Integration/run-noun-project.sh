#!/bin/sh
# Seeds icons with a debug build's `wizard seed` from a Noun Project that verifies every signature with oauthlib.
# Exit status: 0 all passed, 1 something failed, 3 left out (no Python, no pip, or no way to get oauthlib).
set -eu
cd "$(dirname "$0")/../.."

oauthlib=oauthlib==4.0.1
venv=.build/venv
wizard=.build/debug/wizard

left_out() {
    echo "LEFT OUT: seeding icons against oauthlib: $1"
    exit 3
}

command -v python3 > /dev/null || left_out "python3 is not installed"
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv" || left_out "python3 can't make a virtual environment (Debian: python3-venv)"
fi
"$venv/bin/python" -m pip --version > /dev/null || left_out "pip is not installed"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$oauthlib" || left_out "pip can't install $oauthlib"

[ -x "$wizard" ] || swift build --product wizard

"$venv/bin/python" Tests/Integration/noun_project.py "$wizard"
