"""A frontend used over the proxy is recorded, and offline it shows the same pages."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page

from deadringer.mockserver import DEMO_KEY
from tests.threads import served_files

from .real_service import SECRETS, real_service

pytestmark = pytest.mark.slow

_FRONTEND = Path(__file__).parent / "frontend"


@pytest.fixture(scope="module")
def frontend() -> Iterator[str]:
    """The URL of a small frontend of the API."""
    with served_files(_FRONTEND) as origin:
        yield f"{origin}/index.html"


@contextmanager
def proxy(folder: Path, *arguments: str) -> Iterator[str]:
    """Run `deadringer proxy` on a free port until the end of the block; the value is its URL."""
    command = [sys.executable, "-m", "deadringer", "proxy", "--port", "0", *arguments]
    log = folder / "log.txt"
    with log.open("w") as errors:
        process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        assert process.stdout
        found = re.search(r"serves on (http://\S+)", process.stdout.readline())
        assert found, log.read_text()
        try:
            yield found[1]
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)


def click_through(page: Page, frontend: str, api: str) -> list[str]:
    """Open list and runs, start a run and follow it to its end; return every text shown."""
    page.goto("about:blank")
    page.goto(f"{frontend}#{quote(api, safe='')},{DEMO_KEY}")
    page.wait_for_function("document.title === 'Ready'")
    detail = page.locator("#detail")
    shown = [page.locator("#workflow").inner_text(), page.locator("#runs").inner_text()]

    def click(name: str, number: int = 0) -> None:
        reads = int(detail.get_attribute("data-reads") or 0)
        page.get_by_role("button", name=name).nth(number).click()
        page.wait_for_function(f"document.getElementById('detail').dataset.reads === '{reads + 1}'")
        shown.append(detail.inner_text())

    for number in range(2):
        click("completed", number)
    click("Start a test run")
    while "status running" in shown[-1]:
        click("Read again")
    return shown


@pytest.mark.parametrize("kind", ["the mock", "an independent service"])
def test_a_recorded_click_through_replays_offline_with_the_same_pages(
    kind: str,
    frontend: str,
    start_mock: Callable[..., str],
    open_page: Callable[..., Page],
    tmp_path: Path,
) -> None:
    recording = tmp_path / "recording"
    with ExitStack() as stack:
        service = real_service()
        upstream = (
            start_mock("--speed", "20", "--seed", "3")
            if kind == "the mock"
            else stack.enter_context(service)
        )
        with proxy(tmp_path, upstream, "--record", str(recording)) as api:
            live = click_through(open_page(), frontend, api)

    with proxy(tmp_path, "--replay", str(recording)) as api:
        offline = click_through(open_page(), frontend, api)

    assert "status completed" in live[-1] or "status failed" in live[-1]
    pairs = same_but_for_replacements("\n".join(live), "\n".join(offline))
    texts = [one.read_text("utf-8") for one in recording.iterdir()]
    assert pairs  # ids at least
    for secret in SECRETS if kind != "the mock" else ():
        assert secret not in "\n".join(offline)
        assert not [text for text in texts if secret in text]


def same_but_for_replacements(live: str, offline: str) -> dict[str, str]:
    """Return the replaced lines; fail where lines differ otherwise, or one has two replacements."""
    lines = live.splitlines(), offline.splitlines()
    assert len(lines[0]) == len(lines[1])
    replaced = {one: other for one, other in zip(*lines, strict=True) if one != other}
    for one, other in zip(*lines, strict=True):
        assert replaced.get(one, one) == other
        assert re.sub(r"\w+", "", one.split(" ")[0]) == re.sub(r"\w+", "", other.split(" ")[0])
    assert len(set(replaced.values())) == len(replaced)
    return replaced


def test_raw_data_replays_without_any_difference(
    frontend: str, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    recording = tmp_path / "recording"
    options = ("--record", str(recording), "--no-sanitize")
    with real_service() as upstream, proxy(tmp_path, upstream, *options) as api:
        live = click_through(open_page(), frontend, api)

    with proxy(tmp_path, upstream, "--replay", str(recording)) as api:  # it cannot be reached
        offline = click_through(open_page(), frontend, api)

    assert offline == live
    assert DEMO_KEY not in (recording / "recording.har").read_text()


def test_a_sanitized_recording_is_served_as_fixtures(
    start_mock: Callable[..., str], frontend: str, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    recording = tmp_path / "recording"
    with real_service() as upstream, proxy(tmp_path, upstream, "--record", str(recording)) as api:
        live = click_through(open_page(), frontend, api)

    workflow = json.loads(next(recording.glob("workflow-*")).read_text("utf-8"))
    mock = start_mock("--empty", "--fixtures", str(recording))
    page = open_page()
    page.goto(f"{frontend}#{quote(mock, safe='')},{DEMO_KEY},{workflow['id']}")
    page.wait_for_function("document.title === 'Ready'")

    assert page.locator("#workflow").inner_text() == live[0] == workflow["name"]
    assert page.locator("#runs li").count() == 3  # the started run too


def test_a_har_file_of_the_browser_replays_too(
    start_mock: Callable[..., str], frontend: str, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    har = tmp_path / "browser.har"
    page = open_page(record_har_path=har)
    live = click_through(page, frontend, start_mock("--speed", "20"))
    page.context.close()  # writes the file

    with proxy(tmp_path, "--replay", str(har)) as api:
        offline_page = open_page()
        offline = click_through(offline_page, frontend, api)
        run = re.search("run (.*)", offline[-1])
        assert run
        offline_page.goto(f"{api}/__mock/ui/journal")
        offline_page.locator("main").filter(has_text=run[1]).wait_for()

    assert offline == live
