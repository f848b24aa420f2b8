"""Content of documents is shown as text. The watched pages report anything that runs."""

import json

import pytest

from deadringer.contracts import Severity
from deadringer.contracts.rules import validate_execution
from deadringer.contracts.trace_view import island

from .hostile import ALL, LINK, MARKUP, hostile_execution

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def hostile_mock(start_mock, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "run.json").write_text(json.dumps(hostile_execution()), "utf-8")
    return start_mock("--fixtures", str(folder), "--empty")


def test_the_hostile_document_keeps_the_contract():
    errors = [
        one for one in validate_execution(hostile_execution()) if one.severity is Severity.ERROR
    ]

    assert errors == []


def test_nothing_runs_in_the_list_or_the_trace(hostile_mock, page):
    page.goto(hostile_mock + "/__mock/ui/runs?text=touch")
    page.locator(".run-name a").click()
    page.get_by_role("region", name="Error").wait_for()
    links = set()
    for at in range(page.get_by_role("treeitem").count()):
        page.get_by_role("treeitem").nth(at).click()
        page.evaluate("document.querySelectorAll('.part').forEach(one => { one.open = true; })")
        page.locator(".tree").first.wait_for()
        links |= set(page.locator(".tree a").evaluate_all("all => all.map(one => one.protocol)"))

    assert MARKUP in page.locator("body").inner_text()
    assert page.locator("main img, main script:not([type='application/json'])").count() == 0
    assert links == {"https:"}
    assert page.evaluate("() => ({}).x") is None


def test_nothing_runs_in_the_viewer(start_viewer, page):
    run = {
        **hostile_execution(),
        "status": MARKUP,
        "steps": [MARKUP, {"step_id": {"a": ALL}}, None],
    }
    page.goto(start_viewer("-", stdin=json.dumps(run).encode()))

    assert page.get_by_role("treeitem").count() == 3
    assert page.locator("main img").count() == 0
    assert LINK not in page.locator("a").evaluate_all("all => all.map(one => one.href)")


@pytest.mark.parametrize(
    "address", ["?workflow=%3Cscript%3E", "?text=%3Cscript%3E&status=%27", "/a/%3Cb%3E"]
)
def test_nothing_runs_out_of_an_address(hostile_mock, page, watch, address):
    page.goto(f"{hostile_mock}/__mock/ui/runs{address}")

    assert page.locator("main script").count() == 0
    watch.forgive("status of 404")  # the status of the page itself


def test_no_text_ends_the_island():
    text = island({"execution": {"error": "</script><!-- & \u2028 \ud800"}})

    assert not set("<>&\u2028") & set(text)
    assert json.loads(text)["execution"]["error"] == "</script><!-- & \u2028 \ud800"
