"""The Chromium of this machine, and how it is started; none is ever downloaded."""

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MISSING = "there is no Chromium on this machine (Debian: apt-get install chromium)"
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
    """Give the path of the first Chromium in PATH."""
    return next(filter(None, map(shutil.which, NAMES)), None)
