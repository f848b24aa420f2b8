"""The HTML report: one file that links each violation to its place in the run."""

import itertools

import httpx
import pytest
from playwright.sync_api import expect

from deadringer.contracts.check import FORMATS, CheckOptions, run_check
from deadringer.mockserver import DEMO_KEY
from tests.machine import NO_TLS

from .accessibility import grave_findings
from .conftest import DESKTOP, PHONE

pytestmark = pytest.mark.slow

RUN = ("wf_abc123", "run_x7k9m2")
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)> javascript:alert(3)"
ADDRESS = "http://127.0.0.1:9/report.html"
_NAMES = itertools.count()


def report_of(mock, change, *faults):
    """Check one changed run of a mock with some faults, and return the report as HTML."""
    session = f"report-{next(_NAMES)}"
    with httpx.Client(verify=NO_TLS, base_url=mock, headers={"X-Mock-Session": session}) as api:
        path = f"/__mock/workflows/{RUN[0]}/executions/{RUN[1]}"
        api.patch(path, params={"force": "true"}, json=change).raise_for_status()
        for fault in faults:
            api.put(f"/__mock/contract-faults/{fault}").raise_for_status()
    options = CheckOptions(
        mock,
        f"{DEMO_KEY}__session_{session}",
        workflow_ids=RUN[:1],
        run_ids=RUN[1:],
        quick=True,
        only=("time", "errors", "status"),
    )
    return FORMATS["html"](run_check(options))


@pytest.fixture(scope="module")
def html(mock):
    return report_of(mock, {"event_name": HOSTILE}, "step-duration-in-seconds")


def opened(page, html):
    page.route(ADDRESS, lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(ADDRESS)
    return page


def test_a_breach_leads_to_its_field_inside_the_run(html, page):
    opened(page, html)
    page.locator("#DR019").get_by_role("link", name="Show in the run").first.click()
    run = page.locator("#run-1")

    run.locator(".tree-line.violation", has_text="duration_is_end_minus_start").wait_for()
    expect(run.locator(".tree-line.violation").first).to_be_in_viewport()
    assert run.get_by_role("heading", name="Summarise Post").is_visible()
    assert run.locator("[role=treeitem]").count() == 2


def test_each_breach_of_a_step_or_run_leads_to_its_own_place(mock, page):
    opened(page, report_of(mock, {"ended_at": "2026-03-27T10:14:00.000Z"}))
    page.locator("article details").evaluate_all("all => all.forEach(one => { one.open = true; })")
    places = set()
    for finding in page.locator(".example:visible").all():
        place = finding.locator("dd code").nth(1).inner_text()
        finding.get_by_role("link", name="Show in the run").press("Enter")
        line = page.locator("#run-1 .tree-line:focus")
        expect(line.locator(".tree-key")).to_have_text(f"{place.rsplit('/', 1)[1]}:")
        expect(line).to_be_in_viewport()
        places.add(place)

    assert {"/data/ended_at", "/data/steps/1/started_at", "/data/steps/1/ended_at"} <= places


def test_hostile_answers_of_a_server_stay_text(mock, page):
    step = {"step_id": HOSTILE, "step_name": HOSTILE, "operation": HOSTILE, "status": "failed"}
    times = {"started_at": HOSTILE, "ended_at": HOSTILE, "duration_ms": -1}
    hostile = {**step, **times, "input": {HOSTILE: HOSTILE}, "output": HOSTILE, "error": HOSTILE}
    html = report_of(mock, {"steps": [hostile], "error": HOSTILE, "ended_at": HOSTILE})
    opened(page, html)
    for link in page.get_by_role("link", name="Show in the run").all():
        if link.is_visible():
            link.click()

    assert page.locator(".tree-line.violation").count() > 0
    assert page.locator("img, [href^=javascript]").count() == 0
    assert page.locator("script:not([type='application/json'], [type=module])").count() == 0


def test_it_is_used_by_keyboard(html, page):
    opened(page, html)
    page.locator("#DR019 summary").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    page.wait_for_function("() => document.activeElement.closest('#run-1') !== null")


@pytest.mark.parametrize(("scheme", "size"), [("light", DESKTOP), ("dark", PHONE)])
def test_it_is_accessible_everywhere(html, open_page, scheme, size):
    page = opened(open_page(viewport=size, color_scheme=scheme), html)
    page.locator("#DR019").get_by_role("link", name="Show in the run").first.click()

    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert grave_findings(page) == []
