"""What GitHub Actions shows of a check: annotations, and the summary of the step."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from deadringer.contracts.check.atomic_files import ReportError
from deadringer.contracts.check.report import Conclusion, Finding, Report, RuleResult
from deadringer.contracts.safe_text import escaped
from deadringer.contracts.specification import specification_text
from deadringer.contracts.workflow_commands import ON, guarded, workflow_command

from .markdown import render_markdown
from .places import SPECIFICATION_FILE, region_of

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
WORKSPACE = "GITHUB_WORKSPACE"
MOST_SHOWN = 10
"""GitHub shows no more annotations of one kind and step."""


def annotated(text: str, report: Report, environ: Mapping[str, str]) -> str:
    """Return a text for the terminal; under GitHub Actions the annotations follow it."""
    if environ.get(ON) != "true":
        return text
    return "\n".join([guarded(text), *annotations(report, environ), ""])


def annotations(report: Report, environ: Mapping[str, str]) -> list[str]:
    """Return a workflow command for each rule with findings, those that fail the check first.

    They name a place in `openapi.yaml` only where the job's repository has that very file: the
    repository of a real server has other files, or another one of that name.
    """
    in_repository = _has_specification(environ.get(WORKSPACE, ""))
    lines = [
        *_limited("error", report.failures, in_repository=in_repository),
        *_limited("warning", report.warnings, in_repository=in_repository),
    ]
    if report.conclusion is Conclusion.INCONCLUSIVE:
        title = "deadringer check: inconclusive"
        lines.insert(0, workflow_command("error", report.reason, title=title))
    return lines


def _limited(kind: str, results: tuple[RuleResult, ...], *, in_repository: bool) -> Iterator[str]:
    shown = results if len(results) <= MOST_SHOWN else results[: MOST_SHOWN - 1]
    for result in shown:
        finding = min(result.findings, key=lambda one: (one.accepted, one.severity))
        place = _place(finding) if in_repository else {}
        title = f"{result.rule_id} {result.rule}"
        yield workflow_command(kind, _message(result, finding), **place, title=title)
    others = [f"{one.rule_id} {one.rule}" for one in results[len(shown) :]]
    if others:
        yield workflow_command(kind, ", ".join(others), title=f"{len(others)} more rules")


def _message(result: RuleResult, finding: Finding) -> str:
    example = finding.examples[0]
    violation = example.violation
    accepted = "\nAccepted by the baseline." if finding.accepted else ""
    return (
        f"{result.title}\n{example.request} at {violation.pointer or '/'}: {violation.message}.\n"
        f"Fix: {violation.fix}.\nRepeat: {example.curl}{accepted}"
    )


def _place(finding: Finding) -> dict[str, str | int]:
    region = region_of(finding)
    return {"file": SPECIFICATION_FILE, "line": region.start_line, "endLine": region.end_line}


def _has_specification(workspace: str) -> bool:
    try:
        text = (Path(workspace) / SPECIFICATION_FILE).read_text("utf-8")
    except (OSError, ValueError):
        return False
    return bool(workspace) and text == specification_text()


def write_step_summary(report: Report, environ: Mapping[str, str]) -> None:
    """Add the markdown report to the CI step's summary, where the CI names a file for it.

    Raises:
        ReportError: if that file cannot be written.
    """
    path = environ.get(STEP_SUMMARY)
    if not path:
        return
    try:
        with Path(path).open("a", encoding="utf-8", errors="backslashreplace") as summary:
            summary.write(escaped(render_markdown(report), keep="\n\t") + "\n")
    except OSError as error:
        raise ReportError(
            f"{STEP_SUMMARY} names {path}, which cannot be written: {error}"
        ) from error
