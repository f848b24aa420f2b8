"""Find the Chromium of this machine and its options; none is ever downloaded."""

import shutil
import sys

# The headless shell starts and draws in two thirds of the time.
NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
)
MISSING = "there is no Chromium on this machine (Debian: apt-get install chromium-headless-shell)"
FLAGS = (
    "--no-sandbox",  # root, as in containers, has none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium() -> str | None:
    """Return the path of the first Chromium in PATH, None if there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


if __name__ == "__main__" and find_chromium() is None:
    sys.stderr.write(f"The tests of pages will be skipped: {MISSING}.\n")
