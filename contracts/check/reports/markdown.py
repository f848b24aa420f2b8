"""The report as markdown, short enough for the summary of a CI step."""

from collections.abc import Iterator

from deadringer.contracts.check.report import Promise, Report, Result


def render_markdown(report: Report) -> str:
    """Give the verdict, the counts, and every breach with its curl line."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"## deadringer check: {report.verdict.value}"
    yield ""
    yield f"`{_code(report.base_url)}`, {report.requests} requests in {report.elapsed_s:.1f} s, "
    yield f"seed {report.seed}."
    if report.could_not_check:
        yield f"\nCould not be checked: {_plain(report.could_not_check)}"
    yield ""
    yield "| " + " | ".join(result.value for result in Result) + " |"
    yield "|" + " --- |" * len(Result)
    yield "| " + " | ".join(str(report.count(result)) for result in Result) + " |"
    for result in (Result.BROKEN, Result.WARNED):
        for promise in report.promises:
            if promise.result is result:
                yield from _breach(promise)
    missed = [promise for promise in report.promises if promise.result is Result.NOT_EXERCISED]
    if missed:
        yield "\n<details><summary>Not exercised</summary>\n"
        yield from (f"- {one.rule_id} `{one.rule}`: {_plain(one.reason)}" for one in missed)
        yield "\n</details>"


def _breach(promise: Promise) -> Iterator[str]:
    yield f"\n### {promise.result.value}: {promise.rule_id} `{promise.rule}`"
    yield f"\n{_plain(promise.title)}"
    for folded in promise.findings:
        finding = folded.examples[0]
        violation = finding.violation
        yield f"\n- `{_code(finding.request)}` at `{_code(violation.pointer or '/')}`"
        yield f"  ({folded.count} in all): expected {_plain(violation.expected)}; got "
        yield f"  `{_code(violation.got)}`. Fix: {_plain(violation.fix)}."
        yield f"  \n  `{_code(finding.curl)}`"


def _code(text: str) -> str:
    """Make a text safe inside a code span."""
    return " ".join(text.split()).replace("`", "'")


def _plain(text: str) -> str:
    """Make a text safe outside of code: no markup, no table cells, no line breaks."""
    escaped = " ".join(text.split())
    for sign in "\\`*_{}[]<>|#":
        escaped = escaped.replace(sign, f"\\{sign}")
    return escaped
