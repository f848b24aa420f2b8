"""One browser and one server per worker for all tests of pages; errors of pages are recorded."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from tests.machine import give_up

from .chromium import FLAGS, MISSING, find_chromium
from .watching import Watch

DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder; run each module, which shares servers, in one process."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group(f"browser {item.path.stem}"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The Chromium of this machine; without one the tests are skipped, but never in CI."""
    path = find_chromium()
    if path is None:
        give_up(MISSING)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield launched
        launched.close()


@pytest.fixture
def watch() -> Watch:
    """The errors of the pages of this test."""
    return Watch()


@pytest.fixture
def open_page(browser: Browser, watch: Watch) -> Iterator[Callable[..., Page]]:
    """Open watched pages, each in a fresh context; options are those of a Playwright context.

    The test fails at its end if a page had errors, violated its policy or left the machine.
    """
    with ExitStack() as stack:

        def open_one(**options: Any) -> Page:
            chosen: dict[str, Any] = {"viewport": DESKTOP, "locale": "en-GB", **options}
            context = browser.new_context(**chosen)
            context.set_default_timeout(10_000)
            stack.callback(context.close)
            page = context.new_page()
            watch.over(page)
            return page

        yield open_one
    assert watch.unforgiven == []


@pytest.fixture(scope="session")
def shared_context(browser: Browser) -> Iterator[BrowserContext]:
    """The context of `page`, shared so that the browser reuses loaded assets."""
    context = browser.new_context(viewport=DESKTOP, locale="en-GB")
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def page(shared_context: BrowserContext, watch: Watch) -> Iterator[Page]:
    """A watched page of desktop size, without cookies and stored data."""
    page = shared_context.new_page()
    watch.over(page)
    visited: set[str] = set()
    page.on("framenavigated", lambda frame: visited.add(frame.url))
    yield page
    storage = shared_context.new_cdp_session(page)
    for origin in {"{0.scheme}://{0.netloc}".format(urlsplit(url)) for url in visited}:
        kinds = {"origin": origin, "storageTypes": "local_storage,service_workers,indexeddb"}
        storage.send("Storage.clearDataForOrigin", kinds)
    shared_context.clear_cookies()
    page.close()
    assert watch.unforgiven == []


@pytest.fixture
def open_bare(page: Page) -> Callable[[str], Page]:
    """Open a URL that is not a page of the mock in the watched page; it has no policy and icon.

    The browser requests an icon sooner or later, and would report that there is none.
    """

    def open_one(url: str) -> Page:
        page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
        page.goto(url)
        return page

    return open_one


@pytest.fixture(scope="session")
def start_mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """Start `deadringer serve` on a free port with options; return its URL."""
    with ExitStack() as stack:

        def start(*options: str) -> str:
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "deadringer", "serve", "--port", "0", *options],
                    cwd=tmp_path_factory.mktemp("mock"),
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                )
            )
            stack.callback(process.terminate)
            assert process.stdout
            printed = "".join(iter(process.stdout.readline, "Stop with Ctrl-C.\n"))
            return printed.split("serves on ")[1].split()[0]

        yield start


@pytest.fixture(scope="session")
def start_viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """Start `deadringer view` for a file, a URL, or bytes as standard input; return its link."""
    with ExitStack() as stack:

        def start(place: str, *options: str, stdin: bytes | None = None) -> str:
            command = [sys.executable, "-m", "deadringer", "view", place, "--no-open", *options]
            process = stack.enter_context(
                subprocess.Popen(
                    command,
                    cwd=tmp_path_factory.mktemp("viewer"),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
            )
            stack.callback(process.terminate)
            assert process.stdin
            assert process.stdout
            if stdin is not None:
                process.stdin.write(stdin)
                process.stdin.close()
            return process.stdout.readline().decode().split()[-1]

        yield start


@pytest.fixture(scope="session")
def mock(start_mock: Callable[..., str]) -> str:
    """The URL of a mock with default settings, for tests that only read."""
    return start_mock()


@pytest.fixture(scope="module")
def phone(browser: Browser) -> Iterator[Page]:
    """One watched page of phone size for a whole module, for tests that only read."""
    watch = Watch()
    context = browser.new_context(viewport=PHONE, locale="en-GB", has_touch=True)
    page = context.new_page()
    watch.over(page)
    yield page
    context.close()
    assert watch.unforgiven == []
