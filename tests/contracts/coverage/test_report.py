"""The report: sections, thresholds, lines for what is missing, text and JSON."""

import shlex

import pytest

from deadringer.contracts.coverage import (
    Address,
    CoverageReport,
    CoverageTally,
    DocumentedRequest,
    Section,
    ThresholdError,
    coverage_items,
    curl_line,
    parse_threshold,
    render_coverage,
)
from tests.contracts.coverage.observing import DETAIL, recorded, sent

ADDRESS = Address("http://127.0.0.1:4010", "a key", control_headers={"X-Mock-Token": "YOUR_TOKEN"})


def report_of(*exchanges) -> CoverageReport:
    tally = CoverageTally()
    for exchange in exchanges:
        tally.observe(exchange)
    return CoverageReport(tally, ADDRESS)


ONE = report_of(sent(DETAIL, recorded("documented_example")))
ALL_MET = {"version": 1, "requests": 1, "met": dict.fromkeys(coverage_items(), 1)}
EVERYTHING = CoverageReport(CoverageTally.from_json(ALL_MET), ADDRESS)


def test_a_line_survives_the_shell():
    request = DocumentedRequest(
        "/v1/workflows?limit=2", "POST", {"Prefer": "code=404"}, {"text": "it's"}, timeout_s=1
    )

    assert shlex.split(curl_line(request, ADDRESS)) == [
        *("curl", "--max-time", "1", "-X", "POST", "-H", "x-api-key: a key"),
        *("-H", "Content-Type: application/json", "-H", "Prefer: code=404"),
        *("-d", '{"text": "it\'s"}', "http://127.0.0.1:4010/v1/workflows?limit=2"),
    ]


def test_a_control_request_has_the_token_and_no_key():
    line = curl_line(DocumentedRequest("/__mock/faults"), ADDRESS)

    assert "YOUR_TOKEN" in line
    assert "a key" not in line


def test_sections_count_what_was_met():
    sections = {one.name: one for one in ONE.sections}

    assert list(sections) == [*Section, "total"]
    assert sections["operations"][1:] == (1, 8)
    assert sections["operations"].percent == 12.5
    assert sections["total"].met == sum(sections[one].met for one in Section)
    assert all(one.percent == 100 for one in EVERYTHING.sections)


def test_percentages_are_rounded_down_so_that_100_means_all():
    met = dict.fromkeys([*coverage_items()][:-1], 1)
    tally = CoverageTally.from_json({"version": 1, "requests": 1, "met": met})

    assert CoverageReport(tally, ADDRESS).sections[-1].percent == 99.5


@pytest.mark.parametrize(
    ("written", "failures"),
    [
        ("0", []),
        ("operations=12.5", []),
        ("operations=13", ["operations: 12.5% is below 13%"]),
        ("total=100", 1),
        ("100", 1),
    ],
)
def test_a_threshold_fails_below_it(written, failures):
    found = ONE.failures((parse_threshold(written),))

    assert found == failures or len(found) == failures
    assert EVERYTHING.failures((parse_threshold(written),)) == []


@pytest.mark.parametrize("written", ["", "x", "nan", "inf", "-1", "101", "runs=5", "=5", "codes="])
def test_another_threshold_is_refused_and_the_sections_are_named(written):
    with pytest.raises(ThresholdError, match="total, operations, statuses, codes, situations"):
        parse_threshold(written)


def test_the_text_names_what_is_missing_and_how_to_produce_it():
    text = render_coverage(ONE)

    assert text.startswith("Coverage of 1 requests\n  operations     1 of   8   12.5%\n")
    assert "  loop: A loop: steps with an `iteration`\n    curl -H 'x-api-key: a key' http" in text
    assert "run_completed: " not in text
    assert "getWorkflow" not in text
    assert "curl" not in render_coverage(ONE, has_lines=False)


def test_verbose_text_has_every_item():
    text = render_coverage(ONE, verbose=True)

    assert [item.id for item in coverage_items().values() if item.title not in text] == []
    assert "       1  situations/run_completed: A run that is completed\n" in text


def test_unknown_items_are_named():
    tally = CoverageTally.from_json({"version": 1, "requests": 1, "met": {"situations/new": 1}})

    text = render_coverage(CoverageReport(tally, ADDRESS))

    assert "Not counted, unknown to this version: 1 item(s): situations/new\n" in text


def test_the_json_form_is_a_tally_with_more():
    document = ONE.to_json()

    assert CoverageTally.from_json(document).to_json() == ONE.tally.to_json()
    missing = {one["id"]: one for one in document["missing"]}
    assert missing.keys() | document["met"].keys() == coverage_items().keys()
    assert len(missing["situations/running_then_finished"]["steps"]) == 3
