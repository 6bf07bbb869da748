"""Shells in terminals of tmux, and what stands on their screens."""

import os
import re
import subprocess
import time

TMUX = ["tmux", "-L", f"wizard-test-{os.getpid()}", "-f", "/dev/null"]
# Variables for all shells, as NAME=VALUE.
ENVIRONMENT = []


def tmux(*arguments):
    return subprocess.run(TMUX + list(arguments), capture_output=True, text=True, check=True).stdout


def wait_until(what, condition, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what}")


class Terminal:
    """A shell in a terminal of its own."""

    count = 0

    def __init__(self, width=100, height=24, shell="bash --norc --noprofile", environment=()):
        Terminal.count += 1
        self.name = f"t{Terminal.count}"
        variables = ["TERM=xterm-256color", "PS1=$ ", "NO_COLOR=1", *ENVIRONMENT, *environment]
        tmux("new-session", "-d", "-s", self.name, "-x", str(width), "-y", str(height), "env", *variables, *shell.split())
        tmux("set-option", "-t", self.name, "status", "off")
        self.resize(width, height)
        wait_until("a prompt", lambda: re.search(r"[$%>#]$", self.text()))

    def type(self, text):
        tmux("send-keys", "-t", self.name, "-l", text)
        self.keys("Enter")

    def run(self, command):
        """Types a command on a screen without anything that an earlier one has left, which might be taken for its own."""
        self.keys("C-l")
        wait_until("an empty screen", lambda: self.text() == "$")
        self.type(f"{command}; echo code $?")

    def keys(self, *keys):
        tmux("send-keys", "-t", self.name, *keys)

    def lines(self):
        return [line.rstrip() for line in tmux("capture-pane", "-p", "-t", self.name).split("\n")[:-1]]

    def text(self):
        return "\n".join(self.lines()).strip("\n")

    def styled(self):
        return tmux("capture-pane", "-p", "-e", "-t", self.name)

    def resize(self, width, height):
        tmux("resize-window", "-t", self.name, "-x", str(width), "-y", str(height))

    def wait(self, text, seconds=120):
        try:
            wait_until(text, lambda: re.search(text, self.text(), re.MULTILINE), seconds)
        except AssertionError:
            raise AssertionError(f"{text!r} is not on the screen:\n{self.text()}") from None

    def wait_for(self, what, is_right):
        """Waits for a screen: what is drawn is not there at once, and is drawn anew all the time."""
        try:
            wait_until(what, lambda: is_right(self.lines()))
        except AssertionError:
            raise AssertionError(f"{what} is not on the screen:\n{self.text()}") from None

    def state(self):
        return tmux("display-message", "-p", "-t", self.name, "#{alternate_on} #{cursor_flag} #{wrap_flag}").strip()

    def close(self):
        tmux("kill-session", "-t", self.name)


def plain(line):
    """A line of a screen without what differs from run to run."""
    line = re.sub(r"http://127\.0\.0\.1:\d+", "URL", line)
    line = re.sub(r"op_[0-9a-z]{24}", "ID", line)
    line = re.sub(r"[█▏▎▍▌▋▊▉]*░+", lambda match: f"[{len(match.group())}]", line)
    line = re.sub(r"[\d.]+[dhms]?(?: \d+[hms])?(?:–[\d.]+[dhms](?: \d+[hms])?)? left", "T left", line)
    # How much it is by now depends on the machine.
    line = re.sub(r"\b[kMGT]?B\b", "MB", line)
    line = re.sub(r"\d+(\.\d+)?", lambda match: match.group() if match.string[match.start() - 1] == "[" else "N", line)
    return re.sub(r" {2,}", "  ", line)
