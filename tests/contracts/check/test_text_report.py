"""On a terminal a check prints first what is wrong, then how to see more."""

import re
from dataclasses import replace

import pytest

from deadringer.contracts import Severity, Violation
from deadringer.contracts.check import (
    Conclusion,
    Example,
    Finding,
    Outcome,
    Report,
    RuleResult,
    render_text,
    result_lines,
)
from deadringer.contracts.rules import Group

CURL = 'curl -i -H "x-api-key: $DEADRINGER_API_KEY" http://127.0.0.1:1/v1/workflows'


def finding(
    rule: str, pointer: str = "/data/x", severity: Severity = Severity.ERROR, **more: object
) -> Finding:
    violation = Violation(rule, pointer, "4320", "4", "send milliseconds", severity, "An example")
    example = Example(violation, "GET /v1/workflows -> 200", CURL, "listWorkflows", seed=7)
    return replace(Finding(rule, severity, pointer, "listWorkflows", 5, (example, example)), **more)


def result(name: str, outcome: Outcome, *findings: Finding, **more: object) -> RuleResult:
    made = RuleResult(
        rule_id="DR019",
        rule=name,
        title=f"What {name} requires.",
        group=Group.TIME,
        severity=Severity.ERROR,
        source="Every example",
        outcome=outcome,
        tested=0 if outcome is Outcome.SKIPPED else 9,
        reason="needs a run" if outcome is Outcome.SKIPPED else "",
        findings=findings,
    )
    return replace(made, **more)


def report(*results: RuleResult, **more: object) -> Report:
    failed = any(one.outcome is Outcome.FAILED for one in results)
    made = Report(
        base_url="http://127.0.0.1:1",
        started_at="2026-03-27T10:15:00.000Z",
        elapsed_s=1.5,
        requests=12,
        seed=0,
        conclusion=Conclusion.FAILED if failed else Conclusion.PASSED,
        results=results,
    )
    return replace(made, **more)


PASSED = [result(f"passes_{number}", Outcome.PASSED) for number in range(80)]
BROKEN = result("breaks", Outcome.FAILED, finding("breaks"))
DOUBTED = result("doubts", Outcome.WARNING, finding("doubts", severity=Severity.WARNING))


def test_what_failed_comes_first_with_one_example_and_passed_rules_nowhere() -> None:
    text = render_text(report(*PASSED, BROKEN))

    assert text == (
        "FAILED http://127.0.0.1:1: 1 rule failed, 80 passed\n"
        "\n"
        "FAILED DR019 breaks (5 violations)\n"
        "  What breaks requires.\n"
        "  request   GET /v1/workflows -> 200\n"
        "  pointer   /data/x\n"
        "  expected  4320\n"
        "  got       4\n"
        "  fix       send milliseconds\n"
        "  seed      7\n"
        f"  repeat    {CURL}\n"
        "\n"
        "12 requests in 1.5 s, seed 0.\n"
        "More: --verbose lists every rule; --report html=FILE shows each in its run.\n"
    )


def test_a_check_without_findings_takes_three_lines_at_most() -> None:
    reasons = ["needs a test run, which only a check that may write starts"] * 3
    reasons += ["needs a 429 response"] * 2 + ["needs luck", "needs more luck"]
    skipped = [result("skips", Outcome.SKIPPED, reason=reason) for reason in reasons]

    assert render_text(report(*PASSED)) == (
        "PASSED http://127.0.0.1:1: 80 rules passed\n12 requests in 1.5 s, seed 0.\n"
    )
    assert render_text(report(*PASSED, *skipped)).splitlines()[2:] == [
        "Skipped: 3 need a test run; 2 need a 429 response; 2 others (see --verbose)."
    ]


def test_verbose_adds_every_rule_and_example_after_what_failed() -> None:
    text = render_text(report(*PASSED, BROKEN, result("skips", Outcome.SKIPPED)), verbose=True)
    first, table = text.split("\ntime\n")

    assert first.count("request   GET /v1/workflows -> 200") == 2
    assert "source    An example" in first
    assert "passes_7" not in first
    assert "passed  DR019   passes_7" in table
    assert "FAILED  DR019   breaks                                         5 of 9" in table
    assert "skipped DR019   skips                                          needs a run" in table


def test_quiet_leaves_out_all_but_the_summary_and_failed_rules() -> None:
    skipped = result("skips", Outcome.SKIPPED)
    text = render_text(report(BROKEN, DOUBTED, skipped, notes=("waited 3 s",)), quiet=True)

    assert "FAILED DR019 breaks" in text
    for absent in ("doubts", "waited", "Skipped", "More:"):
        assert absent not in text


def test_a_warning_takes_two_lines_unless_it_fails_the_check() -> None:
    passed = render_text(report(*PASSED, DOUBTED))
    failed = render_text(
        report(*PASSED, DOUBTED, fail_on=Severity.WARNING, conclusion=Conclusion.FAILED)
    )

    assert "PASSED http://127.0.0.1:1: 80 rules passed, 1 warning\n" in passed
    assert "warning DR019 doubts (5 violations)\n  GET /v1/workflows -> 200 at /data/x\n" in passed
    assert "expected" not in passed
    assert "FAILED http://127.0.0.1:1: 1 rule failed, 80 passed\n" in failed
    assert "  expected  4320\n" in failed


def test_further_places_of_a_rule_are_named_and_the_first_is_one_that_fails() -> None:
    places = [finding("breaks", f"/data/{name}") for name in "abcdef"]
    accepted = replace(places[0], accepted=True)
    text = "\n".join(result_lines(replace(BROKEN, findings=(accepted, *places[1:]))))

    assert "  pointer   /data/b\n" in text
    assert "  also at   /data/c of listWorkflows (5 errors)\n            /data/d" in text
    assert text.endswith("\n            2 more places")


def test_an_accepted_finding_is_marked() -> None:
    accepted = result("breaks", Outcome.WARNING, finding("breaks", accepted=True))

    assert ", accepted by the baseline\n" in render_text(report(accepted))


def test_an_inconclusive_check_says_why_and_no_more() -> None:
    skipped = [result("skips", Outcome.SKIPPED) for _ in range(100)]
    reason = "http://127.0.0.1:1 is unreachable: connection refused."
    text = render_text(report(*skipped, conclusion=Conclusion.INCONCLUSIVE, reason=reason))

    assert text == f"12 requests in 1.5 s, seed 0.\nINCONCLUSIVE: {reason}\n"


@pytest.mark.parametrize("verbose", [False, True])
def test_colors_change_nothing_but_the_color(verbose: bool) -> None:
    checked = report(*PASSED, BROKEN, DOUBTED, result("skips", Outcome.SKIPPED))
    plain = render_text(checked, verbose=verbose)
    colored = render_text(checked, verbose=verbose, color=True)

    assert "\x1b" not in plain
    assert "\x1b[1;31mFAILED\x1b[0m http" in colored
    assert re.sub(r"\x1b\[[\d;]*m", "", colored) == plain


def test_prose_fits_80_columns_and_commands_are_never_broken() -> None:
    words = "word " * 60
    violation = replace(BROKEN.findings[0].examples[0].violation, got=words, fix=words)
    example = replace(BROKEN.findings[0].examples[0], violation=violation, curl="curl " * 60)
    broken = replace(
        BROKEN, title=words, findings=(replace(BROKEN.findings[0], examples=(example,)),)
    )
    long = [line for line in render_text(report(broken)).splitlines() if len(line) > 80]

    assert long == [f"  repeat    {'curl ' * 60}"]


def test_nothing_a_server_sent_controls_the_terminal_or_begins_a_line() -> None:
    hostile = "a\x1b[2J\r\n::error::b\u202e\x9b1m\u2028c"
    violation = replace(
        BROKEN.findings[0].examples[0].violation, pointer=f"/{hostile}", got=hostile
    )
    example = replace(
        BROKEN.findings[0].examples[0], violation=violation, request=hostile, curl=hostile
    )
    findings = tuple(
        replace(BROKEN.findings[0], pattern=f"/{hostile}{number}", examples=(example,))
        for number in range(3)
    )
    checked = report(replace(BROKEN, findings=findings), notes=(hostile,))

    for verbose in (False, True):
        text = render_text(checked, verbose=verbose)
        assert all(line.isprintable() for line in text.split("\n"))
        assert not any(line.strip().startswith("::") for line in text.split("\n"))
