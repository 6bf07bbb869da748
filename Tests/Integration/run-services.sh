#!/bin/sh
# Heals conflicts over ports between real servers: Python's, Node's and nginx.
# Exit status: 0 all passed, 1 something failed, 3 something was left out (python3, node or nginx is missing).
set -eu
cd "$(dirname "$0")/../.."

probe=.build/debug/service-probe

command -v python3 > /dev/null || {
    echo "LEFT OUT: services on real ports: python3 is not installed"
    exit 3
}
[ -x "$probe" ] || swift build --product service-probe
exec python3 -B Tests/Integration/services.py "$probe"
