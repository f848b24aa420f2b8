"""A report has the same content in every format, with any text of a server."""

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import jsonschema
import pytest

from deadringer.contracts import specification_text
from deadringer.contracts.check import (
    FORMATS,
    Conclusion,
    Phase,
    Report,
    write_step_summary,
)
from deadringer.contracts.check.reports.places import region_of
from deadringer.contracts.check.reports.sarif import DOCUMENTATION
from deadringer.contracts.rules import RULES
from tests.project import ROOT


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_tells_rule_place_and_sides(report: Report, name: str) -> None:
    message = FORMATS[name](report)

    for part in ("duration_is_end_minus_start", "/data/duration_ms", "4320", "DEADRINGER_API_KEY"):
        assert part in message


def test_html_executes_nothing_a_server_sent(report: Report) -> None:
    message = FORMATS["html"](report)

    assert "<script" not in message
    assert "&lt;script&gt;" in message
    assert "<mark>" in message
    assert "default-src 'none'" in message
    assert "unsafe-inline" not in message
    assert set(re.findall(r'href="(.)', message)) == {"#"}
    assert "http-equiv" in message


def test_html_shows_each_run_once_and_leads_from_each_breach_to_its_place(report: Report) -> None:
    run = {"run_id": "run_1", "steps": [{}, {"error": "</script><script>alert(1)</script>"}]}
    failed = report.results[0]
    (finding,) = failed.findings
    (example,) = finding.examples
    places = ("/data/steps/1/error", "/data/run_id", "")
    examples = tuple(
        replace(
            example,
            violation=replace(example.violation, pointer=place),
            document={"data": dict(run), "success": True},
        )
        for place in places
    )
    shown = replace(failed, findings=(replace(finding, examples=examples),))

    message = FORMATS["html"](replace(report, results=(shown,)))

    assert re.findall(r'data-run="(.+?)" data-pointer="(.*?)"', message) == [
        ("run-1", "/steps/1/error"),
        ("run-1", "/run_id"),
    ]
    assert message.count("data-trace-document>{") == 1
    assert "</script><script>" not in message
    assert '"pointer":"/steps/1/error"' in message


def test_junit_has_one_case_for_each_promise(report: Report) -> None:
    (suite,) = ET.fromstring(FORMATS["junit"](report))

    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "1")
    kinds = [[child.tag for child in case] for case in suite.iter("testcase")]
    assert kinds == [["failure"], [], ["skipped"]]


def test_junit_says_when_and_how_long(report: Report) -> None:
    timed = replace(
        report,
        results=(replace(report.results[0], elapsed_s=0.25), *report.results[1:]),
        phases=(Phase("reading 14 runs", 1.25),),
    )
    root = ET.fromstring(FORMATS["junit"](timed))

    (suite,) = root
    assert (root.get("time"), suite.get("time")) == ("1.500", "1.500")
    assert suite.get("timestamp") == "2026-03-27T10:15:00"
    assert [case.get("time") for case in suite.iter("testcase")][:2] == ["0.250000", "0.000000"]
    assert {one.get("name"): one.get("value") for one in suite.iter("property")} == {
        "conclusion": "failed",
        "requests": "12",
        "seed": "0",
        "phase 1": "1.250 s reading 14 runs",
    }


# Elements of the JUnit schemas in use (Ant's, Jenkins'): attributes, then children in their order.
JUNIT = {
    "testsuites": ("name tests failures errors time", "testsuite"),
    "testsuite": (
        "name tests failures errors skipped time timestamp hostname id package",
        "properties testcase system-out system-err",
    ),
    "properties": ("", "property"),
    "property": ("name value", ""),
    "testcase": ("classname name time", "skipped failure system-out"),
    "skipped": ("message", ""),
    "failure": ("message type", ""),
    "system-out": ("", ""),
    "system-err": ("", ""),
}


def test_junit_has_the_common_form(report: Report) -> None:
    for element in ET.fromstring(FORMATS["junit"](report)).iter():
        attributes, children = (part.split() for part in JUNIT[element.tag])
        order = [children.index(child.tag) for child in element]

        assert set(element.keys()) == set(attributes)
        assert order == sorted(order)
        if "time" in attributes:
            assert re.fullmatch(r"\d+\.\d+", element.get("time", ""))
        if "timestamp" in attributes:
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", element.get("timestamp", ""))


def test_json_keeps_its_documented_schema(report: Report) -> None:
    schema_file = ROOT / "contracts/check/reports/report.schema.json"
    schema = json.loads(schema_file.read_text("utf-8"))
    document = json.loads(FORMATS["json"](report))

    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document, schema)
    assert document["exit_code"] == 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**document, "conclusion": "fine"}, schema)


def test_sarif_names_rules_and_results(report: Report) -> None:
    (run,) = json.loads(FORMATS["sarif"](report))["runs"]

    (result,) = run["results"]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    assert result["level"] == "error"
    assert result["occurrenceCount"] == 5


def test_sarif_names_the_tool_and_a_page_for_each_rule(report: Report) -> None:
    (run,) = json.loads(FORMATS["sarif"](report))["runs"]
    driver = run["tool"]["driver"]

    assert driver["version"] == version("deadringer")
    for uri in (driver["informationUri"], *(rule["helpUri"] for rule in driver["rules"])):
        address, _, fragment = uri.removeprefix(DOCUMENTATION).partition("#")
        page = (ROOT / "docs" / address).with_suffix(".md").read_text("utf-8")
        assert not fragment or fragment in {rule["name"] for rule in driver["rules"]}
        assert page
    named = {rule.name for rule in RULES}
    text = (ROOT / "docs" / "reference" / "rules.md").read_text("utf-8")
    assert {name for name in named if f"### {name}\n" not in text} == set()


def test_sarif_locates_a_result_at_its_response_in_the_specification(report: Report) -> None:
    (run,) = json.loads(FORMATS["sarif"](report))["runs"]
    (location,) = run["results"][0]["locations"]
    place = location["physicalLocation"]
    lines = (ROOT / place["artifactLocation"]["uri"]).read_text("utf-8").splitlines()
    region = place["region"]

    part = lines[region["startLine"] - 1 : region["endLine"]]
    assert part[0][region["startColumn"] - 1 :] == '"200":'
    assert any("execution_envelope.json" in line for line in part)
    assert len(part[-1]) == region["endColumn"] - 1
    before = lines[: region["startLine"]]
    assert [line.split()[1] for line in before if "operationId:" in line][-1] == "getExecution"


@pytest.mark.parametrize(
    ("operation", "status", "first"),
    [
        ("listWorkflows", "401", '"401"'),
        ("listWorkflows", "418", "get:"),
        ("listWorkflows", "no complete response in time", "get:"),
        (None, "200", "paths:"),
    ],
)
def test_a_place_is_the_response_else_the_operation_else_all_paths(
    report: Report, operation: str | None, status: str, first: str
) -> None:
    finding = report.results[0].findings[0]
    example = replace(finding.examples[0], request=f"GET /v1/x -> {status}")
    region = region_of(replace(finding, operation_id=operation, examples=(example,)))

    line = specification_text().splitlines()[region.start_line - 1]
    assert line.strip().startswith(first)


def test_junit_of_an_inconclusive_check_has_an_error(report: Report) -> None:
    unsure = replace(report, conclusion=Conclusion.INCONCLUSIVE, reason="the server is down")
    root = ET.fromstring(FORMATS["junit"](unsure))

    assert root.get("errors") == root[0].get("errors") == "1"
    assert root.get("tests") == str(len(root.findall(".//testcase")))
    (error,) = root.findall(".//testcase[@name='check']/error")
    assert error.get("message") == "the server is down"


def test_the_step_summary_is_written_where_ci_names_a_file(report: Report, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n", "utf-8")

    write_step_summary(report, {})
    write_step_summary(report, {"GITHUB_STEP_SUMMARY": str(summary)})

    message = summary.read_text("utf-8")
    assert message.startswith("before\n## deadringer check: failed")
    outside_of_code = re.sub(r"`[^`]*`", "", message)
    assert "<script>" not in outside_of_code
