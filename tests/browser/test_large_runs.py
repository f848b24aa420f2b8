"""2,000 steps and 5 MB of output: the page contains only what is visible."""

import copy
import json

import pytest

from deadringer.fixtures import load_recordings

pytestmark = pytest.mark.slow

STEPS = 2000
ROWS = 40_000
MOST_ROWS = 60
MOST_NODES = 300
MOST_ELEMENTS = 3000


@pytest.fixture(scope="module")
def large_run():
    recording = next(one for one in load_recordings() if one.name == "two_hundred_steps")
    run = copy.deepcopy(dict(recording.execution))
    first, *loop = run["steps"]
    first["output"] = {"rows": [{"number": at, "text": "x" * 100} for at in range(ROWS)]}
    pairs = [
        {**step, "iteration": at, "total_items": STEPS // 2}
        for at in range((STEPS - 1) // 2)
        for step in loop[:2]
    ]
    tail = {**first, "step_id": "tail", "step_name": "Tail", "output": {}}
    run["steps"] = [first, *pairs, tail]
    return run


def test_a_large_run_stays_small_in_the_page(large_run, start_viewer, page):
    body = json.dumps(large_run).encode()
    page.goto(start_viewer("-", stdin=body))
    tree = page.get_by_role("tree")
    tree.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")

    assert len(large_run["steps"]) == STEPS
    assert len(body) > 5_000_000
    assert tree.evaluate("one => parseFloat(one.style.height) / one.firstChild.offsetHeight") > 1000
    assert page.get_by_role("treeitem").count() < MOST_ROWS
    page.keyboard.press("End")
    assert page.get_by_role("treeitem").filter(has_text="Tail").is_visible()
    assert page.get_by_role("treeitem").count() < MOST_ROWS

    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    output = page.locator(".part", has_text="Output")
    output.get_by_role("button", name="rows:").click()
    page.get_by_label("Search output").fill("39950")
    page.locator(".tree-line.hit", has_text="39950").wait_for()
    assert output.locator(".tree-node").count() < MOST_NODES
    assert page.evaluate("document.querySelectorAll('*').length") < MOST_ELEMENTS
