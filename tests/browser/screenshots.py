"""Write a picture of every page, wide and narrow, light and dark: `make screenshots`."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.sync_api import Page, sync_playwright

from deadringer.contracts.check import CheckOptions, run_check, write_report
from deadringer.mockserver import DEMO_KEY

from .chromium import FLAGS, MISSING, find_chromium
from .conftest import DESKTOP, PHONE
from .places import FAILED_LOOP, place_of

RUNS = "/__mock/ui/runs"
FAULTY = "?session=report"
_FIXED = {
    "front": "/",
    "runs": RUNS,
    "runs-searched": f"{RUNS}?workflow=wf_loop77&status=failed&text=private",
    "runs-faulty": f"{RUNS}{FAULTY}&workflow=wf_abc123",
    "trace-failed": FAILED_LOOP,
    "trace-completed": place_of("documented_example"),
    "trace-faulty": f"{place_of('documented_example')}{FAULTY}",
    "trace-reserved": f"{RUNS}/wf_abc123/run_404",
    "journal-faulty": f"/__mock/ui/journal{FAULTY}",
    "nothing-there": f"{RUNS}/wf_abc123/run_nowhere",
}
_OPENED = {
    "runs-reserved": (RUNS, "details.reserved > summary"),
    "runs-reserved-runs": (f"{RUNS}?workflow=wf_abc123", "details.reserved > summary"),
    "trace-taken": (FAILED_LOOP, "text=Save as fixture file"),
    "trace-violation": (f"{place_of('documented_example')}{FAULTY}", ".violations button"),
    "rules-opened": ("/__mock/ui/rules", "#DR019 > summary"),
    "journal-opened": (f"/__mock/ui/journal{FAULTY}", ".entry > summary"),
    "control-curl": ("/__mock/ui/control", ".how[data-of=reset] > summary"),
    "control-faults": ("/__mock/ui/control?session=report", "#contract-faults .group > summary"),
    "contract-opened": ("/__mock/ui/contract", "#operations-Executions-getExecution button"),
    "session": (RUNS, ".session > summary"),
}
"""Pages after a click: the path, and the selector to click."""
_OPENED_IN = {("desktop", "light"), ("phone", "dark")}
_SIZES = {"desktop": DESKTOP, "phone": PHONE}
_SETTLED_MS = 500


@contextmanager
def _mock() -> Iterator[str]:
    """Serve with a frozen clock, so that equal states have equal pictures."""
    command = [sys.executable, "-m", "deadringer", "serve", "--port", "0"]
    frozen = ["--freeze", "2026-03-27T12:00:20.000Z"]
    with subprocess.Popen(
        [*command, *frozen], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout
        printed = "".join(iter(process.stdout.readline, "Stop with Ctrl-C.\n"))
        yield printed.split("serves on ")[1].split()[0]
        process.terminate()


def write_pictures(folder: Path) -> None:
    """Write `PAGE-SIZE-THEME.png` for every page, and for parts that open in it."""
    folder.mkdir(parents=True, exist_ok=True)
    with _mock() as url, sync_playwright() as playwright:
        report = _write_report(url, folder / "report.html")
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        for size, viewport in _SIZES.items():
            for scheme in ("light", "dark"):
                page = browser.new_context(viewport=viewport, color_scheme=scheme).new_page()
                for name, place in _places(page, url).items():
                    _write(page, url + place, folder / f"{name}-{size}-{scheme}.png")
                opened = _OPENED.items() if (size, scheme) in _OPENED_IN else ()
                for name, (place, clicked) in opened:
                    _write(page, url + place, folder / f"{name}-{size}-{scheme}.png", clicked)
                _write(page, report.as_uri(), folder / f"report-{size}-{scheme}.png")
                shown = folder / f"report-run-{size}-{scheme}.png"
                _write(page, report.as_uri(), shown, "text=Show in the run")
        browser.close()


def _write_report(url: str, file: Path) -> Path:
    """Check the mock with contract faults; return the path of the HTML report."""
    headers = {"X-Mock-Session": "report"}
    for fault in ("step-duration-in-seconds", "list-duration-in-seconds"):
        httpx.put(f"{url}/__mock/contract-faults/{fault}", headers=headers).raise_for_status()
    options = CheckOptions(url, f"{DEMO_KEY}__session_report", quick=True)
    write_report(run_check(options), f"html={file}")
    return file.resolve()


def _places(page: Page, url: str) -> dict[str, str]:
    """Return the path of every page by name: those of runs, and the links of the navigation."""
    page.goto(url + RUNS)
    links = page.locator(".nav a").evaluate_all(
        "all => all.map(one => [one.textContent.toLowerCase(), one.getAttribute('href')])"
    )
    return {**_FIXED, **dict(links)}


def _write(page: Page, url: str, file: Path, clicked: str = "") -> None:
    response = page.goto(url)
    is_expected = "nowhere" in url or response is None or response.ok
    if url.startswith("http") and not is_expected:
        sys.exit(f"{url} returned {response and response.status}: no picture was written.")
    if clicked:
        page.locator(clicked).first.click()
    page.wait_for_timeout(_SETTLED_MS)
    page.screenshot(path=file)
    print(file)  # noqa: T201 - what the command is for


if __name__ == "__main__":
    if find_chromium() is None:
        sys.exit(f"Cannot write pictures: {MISSING}.")
    write_pictures(Path(sys.argv[1]))
