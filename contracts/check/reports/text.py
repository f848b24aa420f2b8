"""The report for a terminal."""

from collections.abc import Iterator
from itertools import groupby

from deadringer.contracts.check.report import Conclusion, Finding, Outcome, Report, RuleResult

_MARKS = {
    Outcome.PASSED: ("passed", "32"),
    Outcome.FAILED: ("FAILED", "1;31"),
    Outcome.WARNING: ("warning", "33"),
    Outcome.SKIPPED: ("skipped", "2"),
}
NAME_WIDTH = 46


def render_text(
    report: Report, *, quiet: bool = False, verbose: bool = False, color: bool = False
) -> str:
    """Return the report in lines: rules by group, every finding, and the summary last."""
    lines: list[str] = []
    was_tested = any(result.tested for result in report.results)
    if not quiet and (was_tested or verbose):
        lines += _table(report, verbose=verbose, color=color)
    lines += _findings(report, quiet=quiet, verbose=verbose, color=color)
    lines += _summary(report, quiet=quiet)
    return "\n".join(lines) + "\n"


def _table(report: Report, *, verbose: bool, color: bool) -> Iterator[str]:
    for group, results in groupby(report.results, key=lambda result: result.group):
        yield f"\n{group.value}"
        for result in results:
            yield from _row(result, verbose=verbose, color=color)


def _row(result: RuleResult, *, verbose: bool, color: bool) -> Iterator[str]:
    mark, code = _MARKS[result.outcome]
    painted = _paint(f"{mark:<7}", code, color=color)
    seen = f"{result.tested}x" if result.tested else result.reason
    if result.findings:
        seen = f"{sum(one.count for one in result.findings)} of {result.tested}"
    yield f"  {painted} {result.rule_id:<7} {result.rule:<{NAME_WIDTH}} {seen}"
    if verbose:
        yield f"          {result.title}"


def _findings(report: Report, *, quiet: bool, verbose: bool, color: bool) -> Iterator[str]:
    wanted = {Outcome.FAILED} if quiet else {Outcome.FAILED, Outcome.WARNING}
    for result in report.results:
        if result.outcome in wanted:
            yield ""
            yield from result_lines(result, verbose=verbose, color=color)


def result_lines(
    result: RuleResult, *, verbose: bool = False, color: bool = False
) -> Iterator[str]:
    """Yield the lines about one rule's findings, with one or (`verbose`) every example of each."""
    mark, code = _MARKS[result.outcome]
    yield _paint(f"{mark} {result.rule_id} {result.rule}", code, color=color)
    yield f"  {result.title}"
    for finding in result.findings:
        yield from _finding(finding, verbose=verbose)


def _finding(finding: Finding, *, verbose: bool) -> Iterator[str]:
    accepted = ", accepted by the baseline" if finding.accepted else ""
    times = f"{finding.count} times" if finding.count > 1 else "once"
    yield f"  {finding.severity.value} at {finding.pattern or '/'} ({times}{accepted})"
    for example in finding.examples if verbose else finding.examples[:1]:
        violation = example.violation
        yield f"    {example.request}, {violation.pointer or '/'}"
        yield f"    expected {violation.expected}"
        yield f"    got      {violation.got}"
        yield f"    fix      {violation.fix}"
        yield f"    source   {violation.source}"
        if example.seed is not None:
            yield f"    seed     {example.seed}"
        yield f"    {example.curl}"


def _summary(report: Report, *, quiet: bool) -> Iterator[str]:
    yield ""
    if not quiet:
        for note in report.notes:
            yield f"note: {note}"
    counts = ", ".join(f"{report.count(outcome)} {outcome.value}" for outcome in Outcome)
    yield f"{len(report.results)} rules: {counts}"
    yield f"{report.requests} requests in {report.elapsed_s:.1f} s, seed {report.seed}"
    if report.conclusion is Conclusion.INCONCLUSIVE:
        yield f"{report.base_url}: inconclusive: {report.reason}"
    else:
        yield f"{report.base_url}: {report.conclusion.value}"


def _paint(text: str, code: str, *, color: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if color else text
