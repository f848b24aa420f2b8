"""The control page: a switch turns on a fault; journal and check report the violated rule."""

import itertools
import json

import httpx
import pytest

from deadringer.contracts.check import CheckOptions, run_check
from deadringer.mockserver import DEMO_KEY
from tests.machine import NO_TLS

from .accessibility import grave_findings
from .conftest import DESKTOP, PHONE
from .hostile import MARKUP, hostile_execution

pytestmark = pytest.mark.slow

PATH = "/__mock/ui/control"
_NAMES = itertools.count()


@pytest.fixture
def session() -> str:
    """A session that no other test uses."""
    return f"control-{next(_NAMES)}"


@pytest.fixture
def api(mock, session):
    headers = {"x-api-key": DEMO_KEY, "X-Mock-Session": session}
    with httpx.Client(verify=NO_TLS, base_url=mock, headers=headers) as client:
        yield client


@pytest.fixture
def control(mock, page, session):
    page.goto(f"{mock}{PATH}?session={session}")
    page.wait_for_function("() => document.getElementById('clock').textContent !== '…'")
    return page


def message_on(page) -> str:
    return page.locator("#message").inner_text()


def switch(page, name):
    return page.get_by_role("switch", name=name, exact=True)


def wait_for_message(page, text):
    page.wait_for_function(
        "text => document.getElementById('message').textContent === text", arg=text
    )


def test_one_switch_breaks_a_promise_that_journal_and_check_name(mock, control, api, session):
    control.get_by_label("Search contract faults").fill("duration-in-seconds")
    switch(control, "duration-in-seconds").click()
    wait_for_message(control, "duration-in-seconds is on")

    api.get("/v1/workflows/wf_abc123/executions/run_x7k9m2")
    report = run_check(
        CheckOptions(
            mock,
            f"{DEMO_KEY}__session_{session}",
            workflow_ids=("wf_abc123",),
            run_ids=("run_x7k9m2",),
            only=("DR019",),
            quick=True,
        )
    )
    control.get_by_role("link", name="Journal").click()
    control.get_by_text("violates duration_is_end_minus_start").first.wait_for()

    assert [one.rule for one in report.results if one.findings] == ["duration_is_end_minus_start"]
    assert control.get_by_text("fault duration-in-seconds").count() > 0


def test_a_switch_shows_the_requests_that_do_the_same(mock, control, api, session):
    row = control.locator(".switch", has=switch(control, "error-503"))
    row.get_by_text("curl", exact=True).click()
    row.locator(".line code").first.wait_for()
    lines = row.locator(".line code").all_inner_texts()

    assert lines[0].startswith(f"curl -X POST -H 'X-Mock-Session: {session}' --data-raw '")
    assert lines[1] == "Prefer: fault=error-503"
    switch(control, "error-503").click()
    wait_for_message(control, "error-503 is on")
    assert api.get("/v1/credits/balance").status_code == 503
    switch(control, "error-503").click()
    wait_for_message(control, "error-503 is off")
    assert api.get("/v1/credits/balance").status_code == 200


def test_every_button_and_form_shows_its_request_before_it_is_sent(control, session):
    summaries = control.get_by_text("The same as curl")
    for summary in summaries.all():
        summary.click()
    control.get_by_label("Workflow", exact=True).select_option("wf_abc123")
    control.get_by_label("Ends", exact=True).select_option("failed")
    control.get_by_label("Parameters, as JSON").fill('{"delay_ms": 5}')
    control.get_by_label("Speed", exact=True).fill("20")
    lines = control.locator(".line code").all_inner_texts()

    def shows(*parts):
        return any(all(part in line for part in (session, *parts)) for line in lines)

    assert shows("PUT", '{"speed":0}', "/__mock/clock'")
    assert shows("PUT", '{"speed":20}', "/__mock/clock'")
    assert shows("POST", '{"seconds":60}', "/__mock/clock/advance'")
    assert shows("DELETE", "/__mock/clock'")
    assert shows("POST", "/__mock/reset'")
    assert shows("DELETE", "/__mock/contract-faults'")
    assert shows("DELETE", "/__mock/faults'")
    assert shows("POST", '{"kind":"latency","delay_ms":5}', "/__mock/faults'")
    assert shows("POST", '"status":"failed"', "/__mock/workflows/wf_abc123/runs'")
    assert "Prefer: status=failed" in lines
    assert "Prefer: fault=latency" in lines


def test_the_clock_is_frozen_stepped_set_and_let_go(control, api):
    control.get_by_role("button", name="Freeze").click()
    control.get_by_role("button", name="Unfreeze").wait_for()
    control.get_by_label("Time", exact=True).fill("2027-01-01T00:00:00Z")
    control.get_by_role("button", name="Set", exact=True).click()
    wait_for_message(control, "The clock is set")
    control.get_by_role("button", name="+1 h").click()
    wait_for_message(control, "The clock advanced by 3600 s")

    assert control.locator("#clock").inner_text() == "2027-01-01T01:00:00.000Z"
    assert api.get("/__mock/clock").json()["mode"] == "frozen"
    control.get_by_role("button", name="Start's clock").click()
    wait_for_message(control, "The clock is reset")
    assert api.get("/__mock/clock").json()["mode"] == "real"


def test_a_clock_let_go_runs_as_fast_as_before(control, api):
    api.put("/__mock/clock", json={"speed": 5}).raise_for_status()
    control.get_by_text("5 × real time").wait_for()
    control.get_by_role("button", name="Freeze").click()
    control.get_by_role("button", name="Unfreeze").click()
    control.get_by_role("button", name="Freeze").wait_for()

    assert api.get("/__mock/clock").json()["speed"] == 5


def test_a_clock_let_go_after_a_reload_runs_as_fast_as_before(control, api):
    api.put("/__mock/clock", json={"speed": 5}).raise_for_status()
    control.get_by_text("5 × real time").wait_for()
    control.get_by_role("button", name="Freeze").click()
    control.get_by_role("button", name="Unfreeze").wait_for()
    control.reload()
    control.get_by_role("button", name="Unfreeze").click()
    control.get_by_role("button", name="Freeze").wait_for()

    assert api.get("/__mock/clock").json()["speed"] == 5


def test_a_mock_that_was_gone_for_a_while_is_told_of_until_it_is_back(control, watch):
    control.route("**/__mock/state", lambda route: route.abort())
    wait_for_message(control, "The mock does not respond; trying again")
    control.unroute("**/__mock/state")
    wait_for_message(control, "")
    watch.forgive("Failed to load resource")


def test_a_run_is_started_and_moved_by_hand(control, api):
    control.get_by_label("Workflow", exact=True).select_option("wf_abc123")
    control.get_by_label("Ends", exact=True).select_option("failed")
    control.get_by_label("Advanced by", exact=True).select_option("manual")
    control.get_by_role("button", name="Start", exact=True).click()
    control.get_by_role("button", name="Next transition").click()
    control.wait_for_function("() => / is /.test(document.getElementById('message').textContent)")

    link = control.locator("#started a").get_attribute("href")
    run = link.split("?")[0].rsplit("/", 1)[1]
    assert api.get(f"/v1/workflows/wf_abc123/executions/{run}").json()["data"]["run_id"] == run
    assert control.request.get(f"{str(api.base_url).rstrip('/')}{link}").ok


def test_a_fault_of_ones_own_is_added_taken_away_and_refused_when_wrong(control, api, watch):
    control.get_by_label("Parameters, as JSON").fill('{"delay_ms": "soon"}')
    control.get_by_role("button", name="Add").click()
    control.locator("#message.problem").wait_for()
    assert "delay_ms" in message_on(control)
    watch.forgive("Failed to load resource")

    control.get_by_label("Parameters, as JSON").fill('{"delay_ms": 5}')
    control.get_by_role("button", name="Add").click()
    wait_for_message(control, "A latency fault is on")
    assert [one["delay_ms"] for one in api.get("/__mock/state").json()["faults"]] == [5]
    control.get_by_role("button", name="Remove").click()
    wait_for_message(control, "The fault is removed")
    assert api.get("/__mock/state").json()["faults"] == []


def test_a_scenario_begins_and_ends(control, api):
    switch(control, "outage-and-recovery").click()
    wait_for_message(control, "outage-and-recovery is on")

    assert switch(control, "outage-and-recovery").get_attribute("aria-checked") == "true"
    assert api.get("/__mock/scenario").json()["name"] == "outage-and-recovery"
    switch(control, "outage-and-recovery").click()
    wait_for_message(control, "outage-and-recovery is off")
    assert api.get("/__mock/state").json()["scenario"] is None


def test_reset_turns_everything_back_and_what_others_did_is_seen(control, api):
    api.put("/__mock/chaos", json={"profile": "maintenance"})
    control.wait_for_selector("[data-name=maintenance][aria-checked=true]")
    control.get_by_role("button", name="Reset everything").click()
    wait_for_message(control, "The session was reset")

    assert switch(control, "maintenance").get_attribute("aria-checked") == "false"
    assert api.get("/__mock/state").json()["chaos"] is None


def test_it_is_used_by_keyboard(control, api):
    control.get_by_label("Search contract faults").focus()
    control.keyboard.type("balance-is-open")
    control.keyboard.press("Tab")  # the button that turns all off
    control.keyboard.press("Tab")  # the group
    control.keyboard.press("Tab")
    assert control.evaluate("document.activeElement.dataset.name") == "balance-is-open"
    control.keyboard.press("Space")
    wait_for_message(control, "balance-is-open is on")

    assert api.get("/__mock/state").json()["contract_faults"] == ["balance-is-open"]


def test_names_from_documents_and_refusals_stay_text(start_mock, page, tmp_path, watch):
    hostile = {**hostile_execution(), "workflow_id": MARKUP}
    (tmp_path / "run.json").write_text(json.dumps(hostile), "utf-8")
    page.goto(start_mock("--fixtures", str(tmp_path), "--empty") + PATH)

    page.get_by_label("Workflow", exact=True).select_option(MARKUP)
    page.get_by_role("button", name="Start", exact=True).click()
    page.locator("#message:not(:empty)").wait_for()
    page.get_by_label("Path, may contain *").fill(f"*{MARKUP}")
    page.get_by_role("button", name="Add", exact=True).click()
    page.locator("#active li").wait_for()

    assert MARKUP in page.locator("#active").inner_text().replace('\\"', '"')
    assert page.locator("main img, main script").count() == 0
    watch.forgive("Failed to load resource")


@pytest.mark.parametrize(("scheme", "size"), [("light", DESKTOP), ("dark", PHONE)])
def test_it_is_accessible_everywhere(mock, open_page, session, scheme, size):
    page = open_page(viewport=size, color_scheme=scheme)
    page.goto(f"{mock}{PATH}?session={session}")
    page.locator(".group > summary").first.click()
    page.get_by_text("curl", exact=True).first.click()
    switch(page, "latency").click()
    wait_for_message(page, "latency is on")

    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert grave_findings(page) == []
