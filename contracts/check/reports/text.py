"""The report for a terminal: what is wrong first, then how to see more."""

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from textwrap import TextWrapper

from deadringer.contracts.check.report import Conclusion, Finding, Outcome, Report, RuleResult
from deadringer.contracts.violations import printable

_RED, _GREEN, _YELLOW, _BOLD_RED, _BOLD_GREEN, _DIM = "31", "32", "33", "1;31", "1;32", "2"
_MARKS = {
    Outcome.PASSED: ("passed", _GREEN),
    Outcome.FAILED: ("FAILED", _BOLD_RED),
    Outcome.WARNING: ("warning", _YELLOW),
    Outcome.SKIPPED: ("skipped", _DIM),
}
_CONCLUSIONS = {
    Conclusion.PASSED: ("PASSED", _BOLD_GREEN),
    Conclusion.FAILED: ("FAILED", _BOLD_RED),
    Conclusion.INCONCLUSIVE: ("INCONCLUSIVE", _YELLOW),
}
WIDTH = 80
"""Prose is wrapped to it; requests, pointers and curl lines are never broken."""
NAME_WIDTH = 46
REASONS_SHOWN = 2
PLACES_SHOWN = 3


def render_text(
    report: Report, *, quiet: bool = False, verbose: bool = False, color: bool = False
) -> str:
    """Return the report in lines: the summary, what failed with one example each, what to do next.

    An inconclusive check ends with the reason, on one line: the last line names the next step.

    `verbose` adds every example and the table of all rules, `quiet` leaves warnings and notes out.
    """
    is_inconclusive = report.conclusion is Conclusion.INCONCLUSIVE
    lines = [] if is_inconclusive else [_head(report, color=color)]
    for result in report.failures:
        lines += ["", *result_lines(result, verbose=verbose, color=color)]
    if not quiet:
        lines += _warnings(report, verbose=verbose, color=color)
    if verbose:
        lines += _table(report, color=color)
    if report.failures or verbose or (report.warnings and not quiet):
        lines.append("")
    lines += _closing(report, quiet=quiet, verbose=verbose)
    if is_inconclusive:
        lines.append(_inconclusive(report, color=color))
    return "\n".join(lines) + "\n"


def _head(report: Report, *, color: bool) -> str:
    word, code = _CONCLUSIONS[report.conclusion]
    first, *others = _wrapped(f"{word} {printable(report.base_url)}: {_counts(report)}")
    return "\n".join([_paint(word, code, color=color) + first[len(word) :], *others])


def _inconclusive(report: Report, *, color: bool) -> str:
    word, code = _CONCLUSIONS[report.conclusion]
    return f"{_paint(word, code, color=color)}: {printable(report.reason)}"


def _counts(report: Report) -> str:
    failed, warnings = len(report.failures), len(report.warnings)
    passed, skipped = report.count(Outcome.PASSED), report.count(Outcome.SKIPPED)
    counts = {
        f"{_many(failed, 'rule')} failed": failed,
        f"{_many(passed, 'rule') if not failed else passed} passed": passed,
        f"{_many(warnings, 'warning')}": warnings,
        f"{skipped} skipped": skipped,
    }
    return ", ".join(text for text, count in counts.items() if count)


def result_lines(
    result: RuleResult, *, verbose: bool = False, color: bool = False
) -> Iterator[str]:
    """Yield the lines about one rule's findings, with one or (`verbose`) every example of each."""
    yield _title(result, color=color)
    yield from _wrapped(printable(result.title), "  ")
    findings = sorted(result.findings, key=lambda one: (one.accepted, one.severity))
    if verbose:
        for finding in findings:
            yield f"  {_place(finding)}"
            yield from _examples(finding, len(finding.examples), source=True, color=color)
        return
    yield from _examples(findings[0], 1, source=False, color=color)
    if len(findings) > 1:
        places = [_place(one) for one in findings[1 : PLACES_SHOWN + 1]]
        more = len(findings) - 1 - len(places)
        yield "  also at   " + places[0]
        yield from (f"            {place}" for place in places[1:])
        if more:
            yield f"            {_many(more, 'more place')}"


def _title(result: RuleResult, *, color: bool) -> str:
    mark, code = _MARKS[result.outcome]
    painted = _paint(f"{mark} {result.rule_id} {result.rule}", code, color=color)
    return f"{painted} ({_many(sum(one.count for one in result.findings), 'violation')})"


def _place(finding: Finding) -> str:
    accepted = ", accepted by the baseline" if finding.accepted else ""
    operation = f" of {finding.operation_id}" if finding.operation_id else ""
    count = _many(finding.count, finding.severity.value)
    return f"{printable(finding.pattern) or '/'}{operation} ({count}{accepted})"


def _examples(finding: Finding, most: int, *, source: bool, color: bool) -> Iterator[str]:
    for example in finding.examples[:most]:
        violation = example.violation
        yield from _labelled("request", example.request, wraps=False)
        yield from _labelled("pointer", violation.pointer or "/", wraps=False)
        yield from _labelled("expected", violation.expected, _GREEN, color=color)
        yield from _labelled("got", violation.got, _RED, color=color)
        yield from _labelled("fix", violation.fix)
        if source:
            yield from _labelled("source", violation.source)
        if example.seed is not None:
            yield from _labelled("seed", str(example.seed))
        yield from _labelled("repeat", example.curl, wraps=False)


def _labelled(
    label: str, text: str, code: str = "", *, wraps: bool = True, color: bool = False
) -> Iterator[str]:
    shown = printable(text)
    for place, line in enumerate(_wrapped(shown, width=WIDTH - 12) if wraps else [shown]):
        yield f"  {'' if place else label:<9} {_paint(line, code, color=color and bool(code))}"


def _warnings(report: Report, *, verbose: bool, color: bool) -> Iterator[str]:
    if verbose:
        for result in report.warnings:
            yield ""
            yield from result_lines(result, verbose=True, color=color)
    elif report.warnings:
        yield ""
        for result in report.warnings:
            finding = result.findings[0]
            accepted = ", accepted by the baseline" if finding.accepted else ""
            pointer = finding.examples[0].violation.pointer or "/"
            yield f"{_title(result, color=color)}{accepted}"
            yield f"  {printable(finding.examples[0].request)} at {printable(pointer)}"


def _table(report: Report, *, color: bool) -> Iterator[str]:
    for group, results in groupby(report.results, key=lambda result: result.group):
        yield f"\n{group.value}"
        for result in results:
            mark, code = _MARKS[result.outcome]
            painted = _paint(f"{mark:<7}", code, color=color)
            seen = f"{result.tested}x" if result.tested else printable(result.reason)
            if result.findings:
                seen = f"{sum(one.count for one in result.findings)} of {result.tested}"
            yield f"  {painted} {result.rule_id:<7} {result.rule:<{NAME_WIDTH}} {seen}"
            yield f"          {printable(result.title)}"


def _closing(report: Report, *, quiet: bool, verbose: bool) -> Iterator[str]:
    yield f"{_many(report.requests, 'request')} in {report.elapsed_s:.1f} s, seed {report.seed}."
    if quiet:
        return
    if not verbose:
        yield from _skipped(report)
    for note in report.notes:
        yield from _wrapped(f"Note: {printable(note)}")
    if not verbose and (report.failures or report.warnings):
        yield "More: --verbose lists every rule; --report html=FILE shows each in its run."


def _skipped(report: Report) -> list[str]:
    """Return why rules were skipped, nothing if all of them or none were."""
    skipped = [one for one in report.results if one.outcome is Outcome.SKIPPED]
    if not skipped or len(skipped) == len(report.results):
        return []
    reasons = Counter(_essence(one.reason) for one in skipped).most_common()
    parts = [_counted(text, count) for text, count in reasons[:REASONS_SHOWN]]
    others = sum(count for _, count in reasons[REASONS_SHOWN:])
    parts += [_many(others, "other")] if others else []
    return _wrapped(f"Skipped: {'; '.join(parts)} (see --verbose).")


def _essence(reason: str) -> str:
    """Return a reason without what explains it: the part before a comma or colon."""
    return printable(reason).replace(": ", ", ").partition(", ")[0]


def _counted(reason: str, count: int) -> str:
    """Return a reason that follows its number of rules, such as `3 need a test run`."""
    if reason.startswith("needs "):
        return f"{count} {reason if count == 1 else reason.replace('needs', 'need', 1)}"
    return f"{count} because {reason}"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _wrapped(text: str, indent: str = "", *, width: int = WIDTH) -> list[str]:
    """Return the lines of prose, at least one; words are never broken."""
    wrapper = TextWrapper(
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return wrapper.wrap(text) or [indent]


def _paint(text: str, code: str, *, color: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if color else text
