"""`make screenshots` writes a picture of every page, in both sizes and themes."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.machine import give_up
from tests.project import ROOT

from .chromium import MISSING, find_chromium
from .conftest import DESKTOP, PHONE

pytestmark = pytest.mark.slow

PNG = b"\x89PNG\r\n\x1a\n"
PAGES = {"front", "runs", "trace-failed", "journal", "control", "rules", "contract", "report"}


def test_every_page_has_its_pictures(tmp_path: Path) -> None:
    if find_chromium() is None:
        give_up(MISSING)
    command = [sys.executable, "-m", "tests.browser.screenshots", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=900)

    pictures = {path.stem: path.read_bytes() for path in tmp_path.iterdir()}
    sizes = {"desktop": DESKTOP, "phone": PHONE}
    for page in PAGES:
        for size, viewport in sizes.items():
            for scheme in ("light", "dark"):
                picture = pictures[f"{page}-{size}-{scheme}"]
                assert picture.startswith(PNG)
                assert int.from_bytes(picture[16:20]) == viewport["width"]
    assert len(pictures) > 4 * len(PAGES)
