"""Shown, saved and copied values are exactly those of the document."""

import ast
import json

import pytest

from deadringer.fixtures import load_recordings

pytestmark = pytest.mark.slow

RUN = next(one.execution for one in load_recordings() if one.name == "crm_refuses_contact")
LARGE = 9007199254740993
NUMBERS = f'{{"large":{LARGE},"whole":1.0,"many":[0.10000000000000001,-0.0]}}'


def run_with(**changed):
    first, *others = RUN["steps"]
    first = {**first, "output": json.loads(NUMBERS)}
    return json.dumps({**RUN, **changed, "steps": [first, *others]}).encode()


def test_numbers_are_shown_and_found_as_they_are_written(start_viewer, page):
    page.goto(start_viewer("-", stdin=run_with()))
    page.get_by_role("treeitem").first.click()
    page.get_by_label("Search output").fill(str(LARGE))
    page.locator(".tree-line.hit").wait_for()

    assert page.locator(".tree-line.hit").inner_text().replace("\n", "") == f"large:{LARGE}"
    tree = page.locator(".json", has=page.get_by_label("Search output", exact=True))
    assert tree.locator(".is-number").all_inner_texts() == [str(LARGE), "1.0", "0.1", "-0.0"]


def test_numbers_are_taken_away_as_they_are_written(start_viewer, open_page, tmp_path):
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto(start_viewer("-", stdin=run_with()))
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as fixture file").click()
    download.value.save_as(tmp_path / "saved.json")
    page.get_by_role("button", name="Copy as pytest fixture").click()
    page.get_by_role("button", name="Copied").wait_for()
    copied = page.evaluate("() => navigator.clipboard.readText()")

    saved = json.loads((tmp_path / "saved.json").read_text("utf-8"))
    function = ast.parse(copied).body[-1]
    taken = ast.literal_eval(function.body[-1].value)
    wanted = repr(json.loads(NUMBERS))
    assert repr(saved["steps"][0]["output"]) == wanted
    assert repr(taken["steps"][0]["output"]) == wanted


def test_a_time_without_a_zone_is_no_time_of_the_reader(start_viewer, open_page):
    page = open_page(timezone_id="Asia/Tokyo")
    document = run_with(started_at="2026-03-27T10:15:00", created="27 March 2026 10:15")
    page.goto(start_viewer("-", stdin=document))

    message = page.locator(".trace-title").inner_text()
    assert "Started 27 Mar 2026, 10:15:00.000 UTC (it names no zone)" in message
    page.get_by_role("button", name="Close details").click()
    assert "27 March 2026 10:15" in page.locator(".details .facts").inner_text()
