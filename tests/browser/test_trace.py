"""One run as a trace: content, keyboard, saved and copied data, and a live run."""

import ast
import json
import subprocess
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from deadringer.contracts.documents import validate_stream
from deadringer.contracts.trace_view import ASSETS, SCRIPTS
from deadringer.fixtures import load_documents
from tests.machine import NO_TLS

from .accessibility import grave_findings
from .conftest import PHONE
from .places import FAILED_LOOP, place_of


def row(page, name):
    return page.get_by_role("treeitem").filter(has=page.get_by_text(name, exact=True))


def test_a_failed_run_is_understood_in_two_clicks(mock, page):
    page.goto(mock + "/__mock/ui/runs?workflow=wf_loop77&text=private")
    page.get_by_role("link", name="failed", exact=True).click()
    page.locator("a[href*='run_m2n9q7']").click()

    details = page.get_by_role("complementary", name="Details")
    assert page.get_by_role("alert").inner_text() == (
        "Failed. Step 'Enrich commenter' failed: profile is private"
    )
    expect(details.get_by_role("heading", name="Enrich commenter")).to_be_in_viewport()
    expect(details.get_by_role("region", name="Error")).to_be_in_viewport()
    assert "dmitri-testov" in details.inner_text()
    assert "came from For each comment" in details.inner_text()
    assert row(page, "Enrich commenter").get_attribute("aria-selected") == "true"


def test_the_keyboard_moves_opens_and_closes(mock, page):
    page.goto(mock + place_of("documented_example"))
    tree = page.get_by_role("tree", name="Steps")
    tree.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    heading = page.get_by_role("heading", name="Send Summary")
    assert heading.evaluate("one => one === document.activeElement")

    page.keyboard.press("Escape")

    assert page.get_by_role("heading", name="This run").is_visible()
    assert tree.evaluate("one => one === document.activeElement")
    assert (
        row(page, "Send Summary").evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
    )

    row(page, "Summarise Post").click()
    tree.focus()
    page.keyboard.press("Escape")

    assert page.get_by_role("heading", name="Summarise Post").count() == 0


def test_a_loop_is_folded_with_its_count_and_unfolds(mock, page):
    page.goto(mock + place_of("loop_over_commenters"))
    loop = row(page, "For each comment")

    assert "4 iterations, 8 steps" in loop.inner_text()
    assert page.get_by_role("treeitem").count() == 2

    page.get_by_role("tree").focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)

    assert page.get_by_role("treeitem").count() == 2 + 4 + 2


def test_a_branch_not_taken_is_named(mock, page):
    page.goto(mock + place_of("unhappy_branch"))

    assert "branch “otherwise” not taken" in row(page, "Add to digest").inner_text()


def test_a_step_that_was_never_reached_is_shown(mock, page):
    page.goto(mock + place_of("enrichment_finds_no_profile"))

    assert "not reached" in row(page, "Create contact").inner_text()


def test_bars_lie_on_a_true_axis(mock, page):
    page.goto(mock + place_of("documented_example"))
    bars = page.locator(".row .bar-of").evaluate_all(
        "all => all.map(one => [parseFloat(one.style.left), parseFloat(one.style.width)])"
    )

    assert bars[0] == pytest.approx([100 * 100 / 4320, 100 * 2350 / 4320], abs=0.001)
    assert bars[1] == pytest.approx([100 * 2500 / 4320, 100 * 1800 / 4320], abs=0.001)


def test_columns_are_shown_as_their_table(mock, page):
    page.goto(mock + place_of("documented_example"))
    table = page.get_by_role("table")

    assert table.get_by_role("columnheader").all_inner_texts() == ["Summary"]
    assert "new AI platform" in table.get_by_role("cell").inner_text()


def test_an_output_is_searched(mock, page):
    page.goto(mock + place_of("loop_fails_half_way"))
    row(page, "Get comments").click()
    page.get_by_label("Search output").fill("product manager")

    hit = page.locator(".tree-line.hit")
    hit.wait_for()
    assert hit.inner_text().replace("\n", "") == "title:Product Manager"
    assert page.get_by_role("status").filter(has_text="of 1").is_visible()


def test_what_is_copied_works_elsewhere(mock, open_page, tmp_path):
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto(mock + FAILED_LOOP)
    copied = {}
    for name in ("Copy curl", "Copy JSON", "Copy as pytest fixture"):
        page.evaluate("() => navigator.clipboard.writeText('')")
        page.get_by_role("button", name=name).click()
        page.wait_for_function("async () => (await navigator.clipboard.readText()) !== ''")
        copied[name] = page.evaluate("() => navigator.clipboard.readText()")
    execution = json.loads(copied["Copy JSON"])

    response = subprocess.run(
        ["bash", "-c", copied["Copy curl"] + " -s"], capture_output=True, check=True
    )
    assert json.loads(response.stdout)["data"] == execution

    function = ast.parse(copied["Copy as pytest fixture"]).body[-1]
    assert ast.unparse(function.decorator_list[0]) == "pytest.fixture"
    assert ast.literal_eval(function.body[-1].value) == execution


def test_a_saved_run_is_valid_and_can_be_served(mock, page, tmp_path):
    page.goto(mock + "/__mock/ui/runs?workflow=wf_follow8&status=completed")
    page.locator(".run-name a").first.click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as fixture file").click()
    saved = tmp_path / download.value.suggested_filename
    download.value.save_as(saved)

    with saved.open("rb") as stream:
        assert [one.violations for one in validate_stream(saved.name, stream)] == [()]
    (served,) = load_documents(tmp_path)
    assert (
        served.execution["run_id"]
        == page.get_by_role("heading", level=1).locator("bdi").first.inner_text()
    )


def test_a_run_whose_id_is_taken_is_saved_only_after_a_word(mock, page):
    page.goto(mock + FAILED_LOOP)
    button = page.get_by_role("button", name="Save as fixture file")
    dialog = page.get_by_role("dialog", name="This run id is taken")

    def saved_by(choice):
        button.click()
        with page.expect_download() as download:
            dialog.get_by_role("button", name=choice).click()
        assert dialog.count() == 0
        return json.loads(Path(download.value.path()).read_text("utf-8"))

    button.click()
    assert "run_m2n9q7 is used by deadringer's own file" in dialog.inner_text()
    assert grave_findings(page) == []
    page.keyboard.press("Escape")
    assert dialog.count() == 0
    assert button.evaluate("one => one === document.activeElement")

    same = saved_by("Save anyway")
    other = saved_by("Save under the other id")
    assert same["run_id"] == "run_m2n9q7"
    assert other == {**same, "run_id": "run_m2n9q7_copy"}


def test_a_live_run_is_watched_to_its_end(mock, page):
    session = {"X-Mock-Session": "live"}
    made = httpx.post(
        f"{mock}/__mock/workflows/wf_abc123/runs",
        json={"drive": "manual", "status": "failed"},
        headers=session,
    ).json()
    page.goto(f"{mock}/__mock/ui/runs?session=live")
    page.locator(f"a[href*='{made['run_id']}']").click()
    assert page.locator(".trace-title .status").inner_text() == "running"

    copy = page.get_by_role("button", name="Copy curl")
    copy.focus()
    path = made["path"].replace("/v1/", "/__mock/")
    httpx.post(f"{mock}{path}/advance", json={"transitions": 50}, headers=session)

    page.locator(".trace-title .status", has_text="failed").wait_for()
    assert copy.evaluate("one => one === document.activeElement")
    assert page.get_by_role("region", name="Error").is_visible()


def test_a_fault_shows_in_the_trace_while_the_run_goes_on(mock, page):
    session = {"X-Mock-Session": "faulty-live"}
    with httpx.Client(verify=NO_TLS, base_url=mock, headers=session) as client:
        made = client.post("/__mock/workflows/wf_abc123/runs", json={"drive": "manual"}).json()
        page.goto(
            mock
            + made["path"]
            .replace("/v1/workflows/", "/__mock/ui/runs/", 1)
            .replace("/executions/", "/")
            + "?session=faulty-live"
        )
        page.locator(".trace-title .status", has_text="running").wait_for()
        assert page.locator(".trace-notices .notice").count() == 0

        client.put("/__mock/contract-faults/duration-in-seconds").raise_for_status()
        path = made["path"].replace("/v1/", "/__mock/")
        client.post(f"{path}/advance", json={"transitions": 50}).raise_for_status()

        page.locator(".violations", has_text="duration_is_end_minus_start").wait_for()
        assert (
            "Contract faults are on: duration-in-seconds"
            in page.locator(".trace-notices").inner_text()
        )


@pytest.mark.parametrize(
    ("scheme", "place"),
    [
        ("light", FAILED_LOOP),
        ("dark", place_of("documented_example")),
        pytest.param("dark", FAILED_LOOP, marks=pytest.mark.slow),
        pytest.param("light", place_of("documented_example"), marks=pytest.mark.slow),
    ],
)
def test_the_trace_is_accessible(mock, open_page, scheme, place):
    page = open_page(color_scheme=scheme)
    page.goto(mock + place)

    assert grave_findings(page) == []


@pytest.mark.parametrize(
    "name",
    [
        "deeply_nested_output",
        "failed_before_first_step",
        "loop_fails_half_way",
        "many_scripts_and_emoji",
        "two_hundred_steps",
        "very_large_output",
        "waits_for_hours",
    ],
)
def test_a_trace_fits_a_phone(mock, phone, name):
    phone.goto(mock + place_of(name))

    assert phone.get_by_role("treeitem").count() > 0
    assert phone.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_the_modules_are_all_in_the_bundle():
    assert {path.name for path in ASSETS.glob("*.js")} == set(SCRIPTS)


def test_rows_tell_their_place_in_the_tree_and_have_ids_of_their_own(mock, page):
    page.goto(mock + FAILED_LOOP)
    page.get_by_role("treeitem").first.wait_for()
    page.locator("[role=treeitem][aria-expanded=false]").first.click()
    message = page.get_by_role("treeitem").evaluate_all(
        """all => all.map(({ id, ariaLevel, ariaPosInSet, ariaSetSize }) =>
             [id, +ariaLevel, +ariaPosInSet, +ariaSetSize])"""
    )

    top = [(place, size) for _, level, place, size in message if level == 1]
    below = [(place, size) for _, level, place, size in message if level == 2]
    assert len({one[0] for one in message}) == len(message)
    assert top == [(place, len(top)) for place in range(1, len(top) + 1)]
    assert below[0][0] == 1
    assert all(place <= size for place, size in below)
