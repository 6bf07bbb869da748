#!/bin/sh
# Drives the command line in a real terminal (tmux): screens at three widths, Ctrl-C, questions, a conflict over a port, and
# completion in real shells.
# Exit status: 0 all passed, 1 something failed, 3 something was left out (python3, tmux, zsh or fish is missing).
set -eu
cd "$(dirname "$0")/../.."

left_out() {
    echo "LEFT OUT: the command line in a terminal: $1"
    exit 3
}

command -v python3 > /dev/null || left_out "python3 is not installed"
command -v tmux > /dev/null || left_out "tmux is not installed (Debian: tmux)"

wizard=$PWD/.build/debug/wizard
server=$PWD/.build/debug/ollama-stand-in
{ [ -x "$wizard" ] && [ -x "$server" ]; } || swift build
exec python3 -B Tests/Integration/cli.py "$wizard" "$server"
