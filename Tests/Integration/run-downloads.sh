#!/bin/sh
# Downloads from a real nginx, on loopback, with the wizard of a debug build.
# nginx comes from the PATH, or is unpacked from Debian's package into .build: nothing is installed, no service is started.
# Exit status: 0 all passed, 1 something failed, 3 left out (no Python, or no way to get nginx).
set -eu
cd "$(dirname "$0")/../.."

left_out() {
    echo "LEFT OUT: the downloads from nginx: $1"
    exit 3
}

command -v python3 > /dev/null || left_out "python3 is not installed"

nginx=$(command -v nginx || echo .build/nginx/usr/sbin/nginx)
if [ ! -x "$nginx" ]; then
    command -v apt-get > /dev/null || left_out "nginx is not installed, and there is no apt-get to get it with"
    mkdir -p .build/nginx
    (cd .build/nginx && { apt-get download -qq nginx || { apt-get update -qq && apt-get download -qq nginx; }; }) \
        || left_out "apt-get can't download nginx"
    dpkg -x .build/nginx/nginx_*.deb .build/nginx
fi
"$nginx" -v 2> /dev/null || left_out "$nginx does not run here: install nginx"

swift build --product wizard > /dev/null
swift build --product transfer-probe > /dev/null

python3 -B Tests/Integration/downloads.py "$nginx" .build/debug/wizard .build/debug/transfer-probe
