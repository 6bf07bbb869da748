#!/bin/sh
# The dashboard in a real browser.
# Exit status: 0 all passed, 1 something failed, 3 left out (Chromium, python3 or Playwright is missing).
exec "$(dirname "$0")/../Browser/run"
