"""The report of a check in every format: for terminals, browsers, CI and programs."""

from collections.abc import Callable, Mapping
from pathlib import Path

from deadringer.contracts.check.atomic_files import ReportError, require_writable, write_atomically
from deadringer.contracts.check.report import Report

from .html import render_html
from .json_form import render_json
from .junit import render_junit
from .markdown import render_markdown
from .sarif import render_sarif
from .text import render_text, result_lines

FORMATS: Mapping[str, Callable[[Report], str]] = {
    "text": render_text,
    "json": render_json,
    "junit": render_junit,
    "html": render_html,
    "markdown": render_markdown,
    "sarif": render_sarif,
}

__all__ = [
    "FORMATS",
    "ReportError",
    "render_text",
    "require_target",
    "require_writable",
    "result_lines",
    "write_report",
    "write_step_summary",
]

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"


def write_report(report: Report, target: str) -> None:
    """Write a report as `FORMAT=PATH` says; the file is there whole, or not at all.

    Raises:
        ReportError: if the format is unknown or the file cannot be written.
    """
    render, path = _parsed(target)
    write_atomically(path, render(report))


def require_target(target: str) -> None:
    """Look whether a report could be written as `FORMAT=PATH` says, before there is one.

    Raises:
        ReportError: if it is plain already that it cannot.
    """
    _, path = _parsed(target)
    require_writable(path)


def _parsed(target: str) -> tuple[Callable[[Report], str], Path]:
    name, separator, path = target.partition("=")
    if name not in FORMATS or not separator or not path:
        raise ReportError(f"--report {target!r} is not FORMAT=PATH. Formats: {', '.join(FORMATS)}.")
    return FORMATS[name], Path(path)


def write_step_summary(report: Report, environ: Mapping[str, str]) -> None:
    """Add the markdown report to the CI step's summary, where the CI names a file for it.

    Raises:
        ReportError: if that file cannot be written.
    """
    path = environ.get(STEP_SUMMARY)
    if not path:
        return
    try:
        with Path(path).open("a", encoding="utf-8") as summary:
            summary.write(render_markdown(report) + "\n")
    except OSError as error:
        raise ReportError(
            f"{STEP_SUMMARY} names {path}, which cannot be written: {error}"
        ) from error
