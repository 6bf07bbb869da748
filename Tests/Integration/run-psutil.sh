#!/bin/sh
# Compares what the sampler measures with what psutil measures, on the same real processes at the same time.
# Exit status: 0 all passed, 1 something failed, 3 left out (no Python, no pip, or no way to get psutil).
set -eu
cd "$(dirname "$0")/../.."

psutil=psutil==7.2.2
venv=.build/venv
probe=.build/debug/resource-probe

left_out() {
    echo "LEFT OUT: the comparison with psutil: $1"
    exit 3
}

command -v python3 > /dev/null || left_out "python3 is not installed"
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv" || left_out "python3 can't make a virtual environment (Debian: python3-venv)"
fi
"$venv/bin/python" -m pip --version > /dev/null || left_out "pip is not installed"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$psutil" || left_out "pip can't install $psutil"

[ -x "$probe" ] || swift build --product resource-probe

"$venv/bin/python" Tests/Integration/psutil_compare.py "$probe"
