"""Parts that reload do not disturb clicks, selections, focus and typing."""

import itertools

import httpx
import pytest

from tests.machine import NO_TLS

from .accessibility import grave_findings

pytestmark = pytest.mark.slow

RUNS = "/__mock/ui/runs"
WORKFLOW = "wf_abc123"
ROWS = f"**{RUNS}?*fragment=1*"
DATA = "**/data?*"
_NAMES = itertools.count()


@pytest.fixture
def session() -> str:
    """A session that no other test uses."""
    return f"renewal-{next(_NAMES)}"


@pytest.fixture
def api(mock, session):
    with httpx.Client(verify=NO_TLS, base_url=mock, headers={"X-Mock-Session": session}) as client:
        yield client


def start(api, workflow=WORKFLOW):
    path = f"/__mock/workflows/{workflow}/runs"
    return api.post(path, json={"drive": "manual"}).raise_for_status().json()


def advance(api, run, transitions=1):
    path = run["path"].replace("/v1/", "/__mock/")
    api.post(f"{path}/advance", json={"transitions": transitions}).raise_for_status()


def renewed(page, pattern, times=2):
    """Wait until the page has reloaded its data and shows it."""
    for _ in range(times):
        with page.expect_response(pattern):
            pass
    page.evaluate("() => new Promise(done => setTimeout(done, 50))")


def test_a_click_that_a_renewal_falls_into_still_follows_the_link(mock, page, api, session):
    page.goto(f"{mock}{RUNS}?session={session}&workflow={WORKFLOW}")
    link = page.locator(".run-name a").first
    href = link.get_attribute("href")
    link.hover()
    page.mouse.down()
    start(api)
    renewed(page, ROWS, times=1)
    page.mouse.up()

    page.wait_for_url(f"**{href}")


def test_a_selected_run_id_stays_selected_and_a_focused_link_focused(mock, page, api, session):
    page.goto(f"{mock}{RUNS}?session={session}&workflow={WORKFLOW}")
    page.locator(".run-name a").nth(1).focus()
    chosen = page.locator(".run code").nth(1)
    text = chosen.inner_text()
    chosen.evaluate("one => getSelection().selectAllChildren(one)")
    run = start(api)
    page.locator(f"a[href*='{run['run_id']}']").wait_for()

    assert page.evaluate("getSelection().toString()") == text
    assert text in page.evaluate("document.activeElement.href")


def test_typing_and_focus_survive_a_step_that_goes_on(mock, page, api, session):
    run = start(api)
    advance(api, run)
    page.goto(f"{mock}{RUNS}/{WORKFLOW}/{run['run_id']}?session={session}")
    page.get_by_role("treeitem").first.click()
    status = page.locator(".details .badges .status")
    search = page.get_by_label("Search input")
    before = status.inner_text()
    search.fill("pos")
    page.get_by_text("Whole step as JSON").click()
    search.focus()
    advance(api, run)
    page.wait_for_function(
        "before => document.querySelector('.details .badges .status').textContent !== before",
        arg=before,
    )

    assert search.input_value() == "pos"
    assert search.evaluate("one => one === document.activeElement")
    assert page.get_by_label("Search step").is_visible()


def test_a_folded_notice_a_table_and_the_place_in_the_steps_stay(mock, page, api, session):
    run = start(api)
    advance(api, run, 2)
    page.goto(f"{mock}{RUNS}/{WORKFLOW}/{run['run_id']}?session={session}")
    page.get_by_role("treeitem").first.click()
    page.get_by_role("tree").focus()
    page.keyboard.press("ArrowDown")
    marked = ".columns, .trace-title h1, [role=treeitem], .details > *"
    every = f"[...document.querySelectorAll('{marked}')]"
    page.evaluate(f"{every}.forEach(one => {{ one.isMarked = true }})")
    renewed(page, DATA)

    lost = page.evaluate(f"{every}.filter(one => !one.isMarked).length")
    assert page.locator(marked).count() >= 5
    assert lost == 0
    assert page.locator("[role=treeitem].active").inner_text().startswith("Send Summary")
    assert grave_findings(page) == []


def test_an_action_that_begins_while_it_is_looked_at_becomes_its_step(mock, page, api, session):
    run = start(api, "wf_loop77")
    page.goto(f"{mock}{RUNS}/wf_loop77/{run['run_id']}?session={session}")
    page.get_by_role("treeitem").filter(has_text="not begun").first.click()
    page.get_by_text("This step has not begun.").wait_for()
    advance(api, run, 4)

    page.get_by_label("Search input").wait_for()
    assert page.get_by_text("Iteration", exact=True).is_visible()


def test_the_list_tells_of_when_it_is_and_when_nothing_is_heard(mock, page, api, session, watch):
    page.goto(f"{mock}{RUNS}?session={session}&workflow={WORKFLOW}")
    api.put("/__mock/clock", json={"now": "2027-05-01T10:00:00Z", "speed": 0}).raise_for_status()
    page.get_by_text("As of 1 May 2027, 10:00:00 UTC by this session's clock").wait_for()
    page.route(ROWS, lambda route: route.abort())
    notice = page.get_by_text("the server does not respond. Trying again.")
    notice.wait_for()

    page.unroute(ROWS)
    notice.wait_for(state="detached")
    watch.forgive("Failed to load resource")


def test_a_run_says_when_nothing_is_heard_of_it(mock, page, api, session, watch):
    run = start(api)
    page.goto(f"{mock}{RUNS}/{WORKFLOW}/{run['run_id']}?session={session}")
    page.route(DATA, lambda route: route.fulfill(status=502, body="{}"))
    notice = page.get_by_text("the server does not respond. Trying again.")
    notice.wait_for()

    page.unroute(DATA)
    notice.wait_for(state="detached")
    watch.forgive("Failed to load resource")
