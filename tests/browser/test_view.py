"""`deadringer view`: one execution from anywhere, valid or not."""

import json

import pytest
from playwright.sync_api import expect

from deadringer.fixtures import load_recordings
from deadringer.mockserver import DEMO_KEY

from .accessibility import grave_findings
from .conftest import PHONE

pytestmark = pytest.mark.slow

RUN = next(one.execution for one in load_recordings() if one.name == "crm_refuses_contact")
PATH = f"/v1/workflows/{RUN['workflow_id']}/executions/{RUN['run_id']}"


def test_an_answer_from_standard_input_is_shown(start_viewer, page):
    response = json.dumps({"success": True, "message": "ok", "data": RUN}).encode()
    page.goto(start_viewer("-", stdin=response))

    assert page.get_by_role("heading", level=1).inner_text().startswith(RUN["run_id"])
    assert page.get_by_role("region", name="Error").is_visible()
    assert page.get_by_text("violations of the contract").count() == 0
    assert page.get_by_role("button", name="Copy curl").count() == 0


def test_a_run_of_a_server_is_shown_with_its_definition(mock, start_viewer, page):
    page.goto(start_viewer(mock + PATH, "--api-key", DEMO_KEY))

    came_from = page.locator(".origins").inner_text()
    assert "came from Enrich profile" in came_from
    page.get_by_role("button", name="Enrich profile").first.click()
    assert page.get_by_role("heading", name="Enrich profile").is_visible()
    assert DEMO_KEY not in page.content()


def test_a_broken_document_is_shown_with_its_breaches_marked(start_viewer, open_page, tmp_path):
    first, second = RUN["steps"]
    invalid = {**RUN, "steps": [{**first, "ended_at": None}, second, 7], "created": "yesterday"}
    file = tmp_path / "invalid.json"
    file.write_text(json.dumps(invalid), "utf-8")
    page = open_page(viewport=PHONE)
    page.goto(start_viewer(str(file)))
    message = page.locator(".violations")

    assert "/steps/0/ended_at" in message.inner_text()
    assert "/steps/2" in message.inner_text()
    message.get_by_role("button", name="/steps/0/ended_at").first.click()
    marked = page.locator(".tree-line.violation", has_text="ended_at")
    assert "step_end_and_duration_come_together" in marked.inner_text()
    message.get_by_role("button", name="/created").first.click()
    assert "yesterday" in page.locator(".tree-line.violation", has_text="created").inner_text()
    assert grave_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_a_breach_of_the_answer_around_a_run_is_shown_beside_those_of_the_run(start_viewer, page):
    first, *others = RUN["steps"]
    deep = {**first, "mapped_output": {"a": "b"}, "error": {"code": 7}}
    run = {**RUN, "steps": [deep, *others], "duration_ms": -1}
    document = json.dumps({"success": "yes", "data": run, "extra": {"of": "theirs"}}).encode()
    page.goto(start_viewer("-", stdin=document))
    message = page.locator(".violations")

    assert "schema at /success of the response: expected" in message.inner_text()
    names = set()
    for link in message.get_by_role("button").all():
        link.click()
        line = page.locator(".tree-line:focus")
        name = link.inner_text().split("/")[-1]
        names.add(name)
        assert line.locator(".tree-key").inner_text() == f"{name}:"
        expect(line).to_be_in_viewport()
    assert {"success", "duration_ms", "error", "a"} <= names
    assert grave_findings(page) == []


def test_a_run_without_steps_or_definition_says_so(start_viewer, page):
    run = {**RUN, "steps": None, "workflow_id": "elsewhere"}
    page.goto(start_viewer("-", stdin=json.dumps(run).encode()))

    assert page.get_by_text("This run lists no step.").is_visible()
    assert grave_findings(page) == []


def test_odd_numbers_and_half_characters_are_shown(start_viewer, page):
    document = json.dumps({**RUN, "run_id": "run_\ud800", "event_name": "huge"})
    document = document.replace('"huge"', '[1e999, -1e999, "\\udfff"]')
    page.goto(start_viewer("-", stdin=document.encode()))

    assert page.get_by_role("heading", level=1).inner_text().startswith("run_")
    assert page.title().startswith(r"run_\ud800")
    assert "Infinity" in page.locator(".violations", has_text="/event_name").inner_text()


def test_a_trace_that_cannot_be_drawn_leaves_the_others(start_viewer, page):
    page.goto(start_viewer("-", stdin=json.dumps(RUN).encode()))
    page.evaluate(
        """async () => {
          const good = JSON.stringify({execution: {run_id: "later", steps: []}});
          for (const text of ['{"execution": NaN}', good]) {
            const root = document.createElement("div");
            root.dataset.trace = "";
            const island = document.createElement("script");
            island.type = "application/json";
            island.dataset.traceDocument = "";
            island.textContent = text;
            root.append(island);
            document.querySelector("main").append(root);
          }
          (await import(document.querySelector("script[src*='trace.js']").src)).drawTraces();
        }"""
    )

    assert "This run cannot be drawn" in page.get_by_role("alert").last.inner_text()
    assert page.get_by_role("heading", level=1).last.inner_text().startswith("later")
