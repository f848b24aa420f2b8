"""The pages of the proxy: what a client's click made visible."""

from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.machine import NO_TLS
from tests.mockserver.conftest import DEMO, KNOWN
from tests.mockserver.proxy.serving import Proxy, mocking, proxying

RULE = "duration_is_end_minus_start"
READ = """async ([url, headers]) => {
  const response = await fetch(url, { headers });
  return response.headers.get("Deadringer-Violations");
}"""


@pytest.fixture(scope="module")
def mock() -> Iterator[str]:
    with mocking() as url:
        httpx.put(f"{url}/__mock/contract-faults/duration-in-seconds", verify=NO_TLS)
        yield url


@pytest.fixture(scope="module")
def proxy(mock: str) -> Iterator[Proxy]:
    with proxying(mock) as one:
        yield one


def test_a_click_in_a_frontend_shows_in_header_journal_and_trace(
    open_bare: Callable[[str], Page], mock: str, proxy: Proxy
) -> None:
    page = open_bare(f"{mock}/openapi.json")  # of another origin, as a frontend is

    verdict = page.evaluate(READ, [proxy.url + KNOWN, DEMO])

    assert verdict.startswith("1; see=")
    page.goto(verdict.partition("see=")[2])
    entry = page.locator("details.entry[open]")
    expect(entry).to_have_count(1)
    expect(entry.locator("> summary")).to_contain_text(f"violates {RULE}")
    expect(entry.locator(".sides")).to_contain_text("/data/duration_ms")

    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Runs").click()
    expect(page.locator(".run")).to_contain_text("1 violation")
    page.locator(".run a").click()
    expect(page.locator("[data-trace]")).to_contain_text("Summarise Post")
    expect(page.locator("body")).to_contain_text("As the server behind the proxy last returned it")
    expect(page.locator("[data-trace]")).to_contain_text(RULE)


def test_faults_are_switched_on_the_control_page(page: Page, proxy: Proxy) -> None:
    page.goto(f"{proxy.url}/__mock/ui/control")

    expect(page.get_by_role("heading", name="Clock")).to_have_count(0)
    expect(page.get_by_role("heading", name="Scenarios")).to_have_count(0)
    page.get_by_role("switch", name="error-503", exact=False).click()
    expect(page.locator("#message")).to_have_text("error-503 is on")
    assert httpx.get(proxy.url + KNOWN, headers=DEMO, verify=NO_TLS).status_code == 503
    page.get_by_role("switch", name="error-503", exact=False).click()
    expect(page.locator("#message")).to_have_text("error-503 is off")

    names = page.locator("nav .nav a").all_inner_texts()
    assert names == ["Runs", "Rules", "Journal", "Coverage", "Control"]
