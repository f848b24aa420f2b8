"""The report for a terminal."""

from collections.abc import Iterator
from itertools import groupby

from deadringer.contracts.check.report import FoldedFinding, Promise, Report, Result, Verdict

_MARKS = {
    Result.KEPT: ("ok", "32"),
    Result.BROKEN: ("BROKEN", "1;31"),
    Result.WARNED: ("warned", "33"),
    Result.NOT_EXERCISED: ("-", "2"),
}
NAME_WIDTH = 46


def render_text(
    report: Report, *, quiet: bool = False, verbose: bool = False, color: bool = False
) -> str:
    """Give the report in lines: promises by group, every breach, and the summary last."""
    lines: list[str] = []
    was_exercised = any(promise.exercised for promise in report.promises)
    if not quiet and (was_exercised or verbose):
        lines += _table(report, verbose=verbose, color=color)
    lines += _breaches(report, quiet=quiet, verbose=verbose, color=color)
    lines += _summary(report, quiet=quiet)
    return "\n".join(lines) + "\n"


def _table(report: Report, *, verbose: bool, color: bool) -> Iterator[str]:
    for group, promises in groupby(report.promises, key=lambda promise: promise.group):
        yield f"\n{group.value}"
        for promise in promises:
            yield from _row(promise, verbose=verbose, color=color)


def _row(promise: Promise, *, verbose: bool, color: bool) -> Iterator[str]:
    mark, code = _MARKS[promise.result]
    painted = _paint(f"{mark:<7}", code, color=color)
    told = f"{promise.exercised}x" if promise.exercised else f"not exercised: {promise.reason}"
    if promise.findings:
        told = f"{sum(one.count for one in promise.findings)} of {promise.exercised}"
    yield f"  {painted} {promise.rule_id:<7} {promise.rule:<{NAME_WIDTH}} {told}"
    if verbose:
        yield f"          {promise.title}"


def _breaches(report: Report, *, quiet: bool, verbose: bool, color: bool) -> Iterator[str]:
    wanted = {Result.BROKEN} if quiet else {Result.BROKEN, Result.WARNED}
    for promise in report.promises:
        if promise.result in wanted:
            yield ""
            yield from promise_lines(promise, verbose=verbose, color=color)


def promise_lines(promise: Promise, *, verbose: bool = False, color: bool = False) -> Iterator[str]:
    """Yield the lines about one broken promise; `verbose` shows every example of a finding."""
    mark, code = _MARKS[promise.result]
    yield _paint(f"{mark} {promise.rule_id} {promise.rule}", code, color=color)
    yield f"  {promise.title}"
    for folded in promise.findings:
        yield from _folded(folded, verbose=verbose)


def _folded(folded: FoldedFinding, *, verbose: bool) -> Iterator[str]:
    accepted = ", accepted by the baseline" if folded.accepted else ""
    times = f"{folded.count} times" if folded.count > 1 else "once"
    yield f"  {folded.severity.value} at {folded.pattern or '/'} ({times}{accepted})"
    for finding in folded.examples if verbose else folded.examples[:1]:
        violation = finding.violation
        yield f"    {finding.request}, {violation.pointer or '/'}"
        yield f"    expected {violation.expected}"
        yield f"    got      {violation.got}"
        yield f"    fix      {violation.fix}"
        yield f"    source   {violation.source}"
        if finding.seed is not None:
            yield f"    seed     {finding.seed}"
        yield f"    {finding.curl}"


def _summary(report: Report, *, quiet: bool) -> Iterator[str]:
    yield ""
    if not quiet:
        for note in report.notes:
            yield f"note: {note}"
    counts = ", ".join(f"{report.count(result)} {result.value}" for result in Result)
    yield f"{len(report.promises)} promises: {counts}"
    yield f"{report.requests} requests in {report.elapsed_s:.1f} s, seed {report.seed}"
    if report.verdict is Verdict.UNCHECKED:
        yield f"{report.base_url} could not be checked: {report.could_not_check}"
    else:
        yield f"{report.base_url}: {report.verdict.value}"


def _paint(text: str, code: str, *, color: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if color else text
