"""The list of runs: filtered, paged, live, in both themes and on a phone."""

import httpx
import pytest
from playwright.sync_api import expect

from deadringer.mockserver.admin.ui.run_search import PAGE, WINDOW
from deadringer.mockserver.world.reserved_ids import RESERVED_WORKFLOWS

from .accessibility import grave_findings
from .conftest import DESKTOP, PHONE

pytestmark = pytest.mark.slow

RUNS = "/__mock/ui/runs"


@pytest.fixture(scope="module")
def vast_mock(start_mock):
    return start_mock("--runs-per-workflow", "1000000", "--freeze", "2026-06-01T12:00:00.000Z")


def test_runs_are_narrowed_by_status_and_text(mock, page):
    page.goto(mock + RUNS)
    page.get_by_role("link", name="failed", exact=True).click()
    statuses = set(page.locator(".run .status").all_inner_texts())
    assert statuses == {"failed"}

    page.get_by_label("Workflow", exact=True).select_option("wf_def456")
    page.get_by_label("Run id, workflow id or error").fill("a contact with this")
    page.keyboard.press("Enter")

    page.wait_for_url("**text=a+contact*")
    errors = page.locator(".run-error").all_inner_texts()
    assert errors
    assert all("a contact with this profile exists" in one for one in errors)
    assert set(page.locator(".run .status").all_inner_texts()) == {"failed"}


def test_a_row_tells_when_and_how_long(mock, page):
    page.goto(f"{mock}{RUNS}?workflow=wf_abc123&text=run_x7k9m2")
    row = page.locator(".run")

    assert row.locator("time").inner_text().endswith("27 Mar 2026, 10:15:00")
    assert "d ago" in row.inner_text()
    assert row.locator(".run-duration").inner_text() == "4.3 s"
    assert "documented example" in row.inner_text()


def test_a_million_runs_are_paged(vast_mock, page):
    page.goto(f"{vast_mock}{RUNS}?workflow=wf_loop77")
    first = page.locator(".run code").all_inner_texts()
    page.get_by_role("link", name="Older").click()
    second = page.locator(".run code").all_inner_texts()

    assert len(first) == len(second) == PAGE
    assert not set(first) & set(second)
    page.goto(f"{vast_mock}{RUNS}?workflow=wf_loop77&from=999990")
    assert page.locator(".run").count() == PAGE
    assert "1,000," in page.locator(".more").inner_text()


def test_a_search_looks_at_a_window_and_goes_on_from_there(vast_mock, page):
    page.goto(f"{vast_mock}{RUNS}?workflow=wf_loop77&text=no+run+has+this")
    message = page.locator(".more")

    assert f"Searched runs 1 to {WINDOW:,} of 1,00" in message.inner_text()
    assert "0 match. Older runs were not searched." in message.inner_text()
    page.get_by_role("link", name="Search further", exact=True).click()
    expect(message).to_contain_text(f"Searched runs {WINDOW + 1:,} to {2 * WINDOW:,}")
    page.get_by_role("link", name="Newer").click()
    expect(message).to_contain_text(f"Searched runs 1 to {WINDOW:,}")
    assert page.get_by_role("link", name="Newer").count() == 0


def test_reserved_ids_are_found_by_who_looks(mock, page):
    page.goto(mock + RUNS)
    reserved = page.locator("details.reserved")
    assert not reserved.get_by_role("link").first.is_visible()
    reserved.locator("summary").click()
    shown = reserved.get_by_role("listitem").all_inner_texts()
    assert {one.split()[0] for one in shown} == set(RESERVED_WORKFLOWS)
    assert "wf_404 The API returns 404" in {" ".join(one.split()) for one in shown}
    assert grave_findings(page) == []

    reserved.get_by_role("link", name="wf_failed").click()
    page.wait_for_url("**workflow=wf_failed")
    assert set(page.locator(".run .status").all_inner_texts()) == {"failed"}
    page.locator("details.reserved > summary").click()
    page.get_by_role("link", name="run_404").click()

    expect(page.locator(".trace-notices")).to_contain_text("The API returns 404")
    assert page.get_by_role("heading", level=1).inner_text().startswith("run_404")


def test_a_fault_in_the_list_shows_in_its_page(mock, page):
    session = {"X-Mock-Session": "faulty-list"}
    name = "list-duration-in-seconds"
    httpx.put(f"{mock}/__mock/contract-faults/{name}", headers=session).raise_for_status()
    page.goto(f"{mock}{RUNS}?session=faulty-list&workflow=wf_abc123&text=run_x7k9m2")

    assert f"Contract faults are on: {name}" in page.locator(".remark").inner_text()
    assert page.locator(".run-duration").inner_text() == "4 ms"


def test_a_run_that_starts_appears_while_one_watches_and_stays_in_its_session(mock, page):
    page.goto(f"{mock}{RUNS}?session=watched&workflow=wf_mood01")
    made = httpx.post(
        f"{mock}/__mock/workflows/wf_mood01/runs",
        json={"drive": "manual"},
        headers={"X-Mock-Session": "watched"},
    ).json()
    link = page.locator(f"a[href*='{made['run_id']}']")

    link.wait_for()
    assert "session=watched" in link.get_attribute("href")
    page.goto(f"{mock}{RUNS}?workflow=wf_mood01")
    assert link.count() == 0


def test_the_sessions_there_are_can_be_chosen(mock, page):
    headers = {"X-Mock-Session": "one-of-the-list"}
    httpx.put(f"{mock}/__mock/clock", json={"speed": 2}, headers=headers).raise_for_status()
    reading = {"X-Mock-Session": "one-that-only-asks"}
    httpx.get(f"{mock}/v1/workflows", headers=reading)
    httpx.get(f"{mock}/v1/workflows", headers={"X-Mock-Session": "not a name"})
    page.goto(mock + RUNS)
    page.locator(".session > summary").click()

    offered = page.get_by_label("Show the session").evaluate(
        "one => [...one.list.options].map(option => option.value)"
    )
    assert {"one-of-the-list", "one-that-only-asks"} <= set(offered)
    assert not {"", "not a name"} & set(offered)


def test_the_chosen_theme_lasts(mock, page):
    page.goto(mock + RUNS)
    colours = [page.evaluate("getComputedStyle(document.body).backgroundColor")]
    theme = page.get_by_role("button", name="Theme")
    theme.click()
    theme.click()
    page.reload()
    colours.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    assert theme.get_attribute("aria-label") == "Theme: dark"
    assert len(set(colours)) == 2


def test_the_keyboard_skips_to_the_runs_and_opens_one(mock, page):
    page.goto(mock + RUNS)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    page.locator(".run-name a").first.focus()
    page.keyboard.press("Enter")

    page.get_by_role("tree", name="Steps").wait_for()


@pytest.mark.parametrize(
    ("scheme", "viewport"),
    [
        ("light", DESKTOP),
        ("dark", PHONE),
        pytest.param("dark", DESKTOP, marks=pytest.mark.slow),
        pytest.param("light", PHONE, marks=pytest.mark.slow),
    ],
)
def test_the_list_is_accessible_and_fits(mock, open_page, scheme, viewport):
    page = open_page(color_scheme=scheme, viewport=viewport)
    page.goto(mock + RUNS)

    assert grave_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]


def test_the_narrowest_phone_needs_no_sideways_scrolling(mock, open_page):
    page = open_page(viewport={"width": 360, "height": 640})
    page.goto(mock + RUNS)

    assert page.evaluate("document.documentElement.scrollWidth") == 360
