"""The report as markdown, short enough for the summary of a CI step."""

from collections.abc import Iterator

from deadringer.contracts.check.report import Outcome, Report, RuleResult


def render_markdown(report: Report) -> str:
    """Return the conclusion, the counts, and every finding with its curl line."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"## deadringer check: {report.conclusion.value}"
    yield ""
    yield f"`{_code(report.base_url)}`, {report.requests} requests in {report.elapsed_s:.1f} s, "
    yield f"seed {report.seed}."
    if report.reason:
        yield f"\nInconclusive: {_plain(report.reason)}"
    yield ""
    yield "| " + " | ".join(outcome.value for outcome in Outcome) + " |"
    yield "|" + " --- |" * len(Outcome)
    yield "| " + " | ".join(str(report.count(outcome)) for outcome in Outcome) + " |"
    for outcome in (Outcome.FAILED, Outcome.WARNING):
        for result in report.results:
            if result.outcome is outcome:
                yield from _findings(result)
    skipped = [result for result in report.results if result.outcome is Outcome.SKIPPED]
    if skipped:
        yield "\n<details><summary>Skipped</summary>\n"
        yield from (f"- {one.rule_id} `{one.rule}`: {_plain(one.reason)}" for one in skipped)
        yield "\n</details>"


def _findings(result: RuleResult) -> Iterator[str]:
    yield f"\n### {result.outcome.value}: {result.rule_id} `{result.rule}`"
    yield f"\n{_plain(result.title)}"
    for finding in result.findings:
        example = finding.examples[0]
        violation = example.violation
        yield f"\n- `{_code(example.request)}` at `{_code(violation.pointer or '/')}`"
        yield f"  ({finding.count} in all): expected {_plain(violation.expected)}; got "
        yield f"  `{_code(violation.got)}`. Fix: {_plain(violation.fix)}."
        yield f"  \n  `{_code(example.curl)}`"


def _code(text: str) -> str:
    """Make a text safe inside a code span."""
    return " ".join(text.split()).replace("`", "'")


def _plain(text: str) -> str:
    """Make a text safe outside of code: no markup, no table cells, no line breaks."""
    escaped = " ".join(text.split())
    for sign in "\\`*_{}[]<>|#":
        escaped = escaped.replace(sign, f"\\{sign}")
    return escaped
