"""The coverage page: what is missing, the line that produces it, and its count as it rises."""

import shutil
import subprocess

import httpx
import pytest

from deadringer.contracts.coverage import coverage_items, situations
from deadringer.mockserver import DEMO_KEY
from tests.machine import give_up

from .accessibility import grave_findings
from .conftest import DESKTOP, PHONE

PATH = "/__mock/ui/coverage"


def shown(page):
    return page.locator(".item:visible")


def item(page, name):
    return page.locator(f".item[data-id='situations/{name}']")


def test_the_copied_line_produces_what_is_missing(mock, open_page):
    if shutil.which("curl") is None:
        give_up("There is no curl, which runs the copied line")
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto(f"{mock}{PATH}?session=coverage-copied")
    loop = item(page, "loop")
    assert "missing" in loop.locator("summary").inner_text()

    loop.locator("summary").click()
    loop.get_by_role("button", name="Copy").click()
    line = page.evaluate("navigator.clipboard.readText()")
    subprocess.run(["sh", "-c", line], check=True, capture_output=True, timeout=20)

    loop.get_by_text("met 1×").wait_for()
    assert page.locator(".meter[data-section=operations] .met").inner_text() == "1"
    assert loop.get_attribute("open") == ""


def test_a_click_through_of_a_frontend_shows_what_it_never_met(mock, open_page):
    headers = {"x-api-key": DEMO_KEY, "X-Mock-Session": "coverage-clicked"}
    for path in ("wf_def456/executions", "wf_def456/executions/run_p3n8q1"):
        httpx.get(f"{mock}/v1/workflows/{path}", headers=headers).raise_for_status()
    page = open_page()
    page.goto(f"{mock}{PATH}?session=coverage-clicked")

    page.get_by_label("State").select_option("met")
    met = set(shown(page).evaluate_all("all => all.map(one => one.dataset.id)"))
    page.get_by_label("State").select_option("missing")
    missing = set(shown(page).evaluate_all("all => all.map(one => one.dataset.id)"))

    assert {"situations/run_failed", "situations/error_text"} <= met
    assert {"situations/error_object", "situations/loop"} <= missing
    assert len(met | missing) == len(met) + len(missing) == len(situations())


@pytest.mark.slow
def test_items_are_narrowed_down_by_text_and_section(mock, page):
    page.goto(mock + PATH)
    assert shown(page).count() == len(situations())

    page.get_by_label("Section").select_option("")
    assert shown(page).count() == len(coverage_items())
    page.get_by_label("Search").fill("getExecution/NOT_FOUND")
    assert shown(page).count() == 1
    assert page.locator("#found").inner_text() == f"1 of {len(coverage_items())} items"


@pytest.mark.slow
def test_all_sessions_are_a_click_away(mock, page):
    page.goto(f"{mock}{PATH}?session=coverage-other")
    page.get_by_role("link", name="All sessions").click()

    assert "all sessions" in page.locator(".head p").inner_text()
    page.get_by_role("link", name="Only coverage-other").click()
    assert "coverage-other" in page.locator(".head p").inner_text()


@pytest.mark.parametrize(
    ("scheme", "size"),
    [pytest.param("light", DESKTOP, marks=pytest.mark.slow), ("dark", PHONE)],
)
def test_it_is_accessible_everywhere(mock, open_page, scheme, size):
    page = open_page(viewport=size, color_scheme=scheme)
    page.goto(mock + PATH)
    item(page, "running_then_finished").locator("summary").click()

    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert grave_findings(page) == []
