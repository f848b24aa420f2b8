"""A report has the same content in every format, with any text of a server."""

import json
import os
import re
import stat
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from deadringer.contracts import Severity, Violation, specification_text
from deadringer.contracts.check import (
    FORMATS,
    BaselineError,
    Conclusion,
    Example,
    Finding,
    Outcome,
    Phase,
    Report,
    ReportError,
    RuleResult,
    apply_baseline,
    load_baseline,
    require_target,
    update_baseline,
    write_report,
    write_step_summary,
)
from deadringer.contracts.check.reports.places import region_of
from deadringer.contracts.check.reports.sarif import DOCUMENTATION
from deadringer.contracts.rules import RULES, Group
from deadringer.mockserver.cli.check import command
from tests.project import ROOT

HOSTILE = "<script>alert(1)</script> javascript:alert(2) \x00 ``` | \" ' </pre>"
DOCUMENT = {"data": {"status": "failed", "error": HOSTILE, "duration_ms": 4}}


def result(name: str, outcome: Outcome, **more: object) -> RuleResult:
    defaults = {"tested": 3, "reason": "", "findings": ()}
    return RuleResult(
        rule_id="DR019",
        rule=name,
        title="A duration is the end minus the start.",
        group=Group.TIME,
        severity=Severity.ERROR,
        source="Every example",
        outcome=outcome,
        **{**defaults, **more},
    )


@pytest.fixture
def report() -> Report:
    violation = Violation(
        rule="duration_is_end_minus_start",
        pointer="/data/duration_ms",
        expected=f"4320 {HOSTILE}",
        got="4",
        fix="send milliseconds",
        source="Every example",
    )
    example = Example(
        violation,
        f"GET /v1/workflows/wf/executions/{HOSTILE} -> 200",
        'curl -i -H "x-api-key: $DEADRINGER_API_KEY" http://127.0.0.1:1/v1',
        "getExecution",
        DOCUMENT,
        seed=7,
    )
    finding = Finding(
        "duration_is_end_minus_start",
        Severity.ERROR,
        "/data/duration_ms",
        "getExecution",
        5,
        (example,),
    )
    return Report(
        base_url="http://127.0.0.1:1",
        started_at="2026-03-27T10:15:00.000Z",
        elapsed_s=1.5,
        requests=12,
        seed=0,
        conclusion=Conclusion.FAILED,
        results=(
            result("duration_is_end_minus_start", Outcome.FAILED, findings=(finding,)),
            result("end_is_not_before_start", Outcome.PASSED),
            result("created_is_near", Outcome.SKIPPED, tested=0, reason="needs a run"),
        ),
        notes=("waited 3 s",),
    )


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


def test_a_report_is_written_whole_or_not_at_all(report: Report, tmp_path: Path) -> None:
    write_report(report, f"json={tmp_path / 'out.json'}")

    assert json.loads((tmp_path / "out.json").read_text("utf-8"))["conclusion"] == "failed"
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]
    with pytest.raises(ReportError, match="Specify a file in an existing folder"):
        write_report(report, f"json={tmp_path / 'none' / 'out.json'}")
    with pytest.raises(ReportError, match="Formats: text, json"):
        write_report(report, "pdf=out.pdf")


def test_a_report_goes_where_a_link_leads(report: Report, tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to(tmp_path / "out.json")

    write_report(report, f"json={tmp_path / 'link.json'}")

    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "out.json").read_text("utf-8"))["conclusion"] == "failed"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_report_to_what_is_no_file_replaces_nothing(report: Report, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    with pytest.raises(ReportError, match="named pipe"):
        require_target(f"json={pipe}")
    write_report(report, f"json={pipe}")

    assert json.loads(os.read(reader, 2**20))["conclusion"] == "failed"
    assert pipe.is_fifo()
    os.close(reader)


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="no /dev/shm here")
def test_a_report_below_dev_is_replaced_if_it_is_a_file(report: Report) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        for _ in range(2):
            write_report(report, f"json={folder}/out.json")

        assert json.loads(Path(folder, "out.json").read_text("utf-8"))["conclusion"] == "failed"


@pytest.mark.skipif(os.name == "nt", reason="no permissions of this kind here")
def test_a_report_keeps_permissions_and_obeys_the_umask(report: Report, tmp_path: Path) -> None:
    private = tmp_path / "private.json"
    private.touch(0o600)
    before = os.umask(0o027)
    try:
        for name in ("private", "new"):
            write_report(report, f"json={tmp_path / name}.json")
    finally:
        os.umask(before)

    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new.json").stat().st_mode) == 0o640


def test_junit_of_an_inconclusive_check_has_an_error(report: Report) -> None:
    unsure = replace(report, conclusion=Conclusion.INCONCLUSIVE, reason="the server is down")
    root = ET.fromstring(FORMATS["junit"](unsure))

    assert root.get("errors") == root[0].get("errors") == "1"
    assert root.get("tests") == str(len(root.findall(".//testcase")))
    (error,) = root.findall(".//testcase[@name='check']/error")
    assert error.get("message") == "the server is down"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux alone has it")
def test_every_report_is_written_whatever_another_raises(tmp_path: Path) -> None:
    """Standard output and the first report cannot be written; the others are."""
    command = [
        *(sys.executable, "-m", "deadringer", "check", "http://127.0.0.1:9", "--api-key", "trig_k"),
        *("--report", "text=/dev/full", "--report", f"json={tmp_path / 'out.json'}"),
    ]
    environ = {**os.environ, "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=environ
        )

    assert done.returncode == 2
    assert done.stderr.count("No space left on device") == 2
    assert json.loads((tmp_path / "out.json").read_text("utf-8"))["conclusion"] == "inconclusive"
    assert "inconclusive" in (tmp_path / "summary.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("json={}", "it is a folder"),
        ("json={}/none/out.json", "Create it"),
        ("pdf={}/x", "Formats:"),
    ],
)
def test_a_report_that_cannot_be_written_is_told_before_anything_is_asked(
    tmp_path: Path, target: str, message: str
) -> None:
    options = ["--api-key", "trig_key", "--report", target.format(tmp_path)]
    outcome = CliRunner().invoke(command, ["http://127.0.0.1:9", *options])

    assert outcome.exit_code == 2
    assert message in outcome.output
    assert "127.0.0.1" not in outcome.output


@pytest.mark.parametrize("name", FORMATS)
def test_half_a_character_is_written_in_a_form_there_is(
    report: Report, tmp_path: Path, name: str
) -> None:
    failed, *others = report.results
    (finding,) = failed.findings
    (example,) = finding.examples
    example = replace(example, violation=replace(example.violation, got="'\ud800'"))
    finding = replace(finding, pattern="/data/\ud800", examples=(example,))
    unusual = replace(report, results=(replace(failed, findings=(finding,)), *others))

    write_report(unusual, f"{name}={tmp_path / 'out'}")

    sign = "\ufffd" if name == "junit" else "\\ud800"  # XML has no such escape
    assert sign in (tmp_path / "out").read_text("utf-8")


def test_the_step_summary_is_written_where_ci_names_a_file(report: Report, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n", "utf-8")

    write_step_summary(report, {})
    write_step_summary(report, {"GITHUB_STEP_SUMMARY": str(summary)})

    message = summary.read_text("utf-8")
    assert message.startswith("before\n## deadringer check: failed")
    outside_of_code = re.sub(r"`[^`]*`", "", message)
    assert "<script>" not in outside_of_code


def test_an_accepted_breach_no_longer_fails(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"

    update_baseline(path, report)
    accepted = apply_baseline(report, load_baseline(path), fail_on=Severity.ERROR)

    assert accepted.conclusion is Conclusion.PASSED
    assert accepted.results[0].outcome is Outcome.WARNING
    assert accepted.results[0].findings[0].accepted


def test_a_new_breach_fails_in_spite_of_the_baseline(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    update_baseline(path, report)
    failed = report.results[0]
    elsewhere = replace(failed.findings[0], pattern="/data/steps/*/duration_ms")
    worse = replace(report, results=(replace(failed, findings=(*failed.findings, elsewhere)),))

    assert apply_baseline(worse, load_baseline(path), fail_on=Severity.ERROR).exit_code == 1


def test_a_mended_breach_is_told_so_that_the_baseline_shrinks(
    report: Report, tmp_path: Path
) -> None:
    path = tmp_path / "baseline.json"
    update_baseline(path, report)
    first = replace(report.results[0], findings=(), outcome=Outcome.PASSED, tested=1)
    mended = replace(report, results=(first, *report.results[1:]), conclusion=Conclusion.PASSED)

    notes = apply_baseline(mended, load_baseline(path), fail_on=Severity.ERROR).notes

    assert any("--baseline-update removes it" in note for note in notes)


@pytest.mark.parametrize("content", ["{", "[]", '{"accepted": [{}]}'])
def test_a_malformed_baseline_says_how_to_fix_it(tmp_path: Path, content: str) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(content, "utf-8")

    with pytest.raises(BaselineError, match="--baseline-update"):
        load_baseline(path)
