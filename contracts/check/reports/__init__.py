"""The report of a check in every format: for terminals, browsers, CI and programs."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from deadringer.contracts.check.atomic_files import ReportError, require_writable, write_atomically
from deadringer.contracts.check.report import Report
from deadringer.contracts.safe_text import escaped

from .github import annotated, write_step_summary
from .html import render_html
from .json_form import render_json
from .junit import render_junit
from .markdown import render_markdown
from .sarif import render_sarif
from .text import render_text, result_lines

FORMATS: Mapping[str, Callable[[Report], str]] = {
    "text": partial(render_text, verbose=True),
    "json": render_json,
    "junit": render_junit,
    "html": render_html,
    "markdown": render_markdown,
    "sarif": render_sarif,
}
"""Name to what writes it; text is in its long form, for a file is there to look things up."""

__all__ = [
    "FORMATS",
    "ReportError",
    "annotated",
    "render_text",
    "require_target",
    "require_writable",
    "result_lines",
    "write_report",
    "write_step_summary",
]


def write_report(report: Report, target: str) -> None:
    """Write a report to `FORMAT=PATH`; the file is written whole or not at all.

    Characters that could control a terminal or reorder a line are written as JSON escapes.

    Raises:
        ReportError: if the format is unknown or the file cannot be written.
    """
    render, path = _parsed(target)
    write_atomically(path, escaped(render(report), keep="\n\t"))


def require_target(target: str) -> None:
    """Validate that a report can be written to `FORMAT=PATH`, before there is one.

    Raises:
        ReportError: if it is already clear that it cannot.
    """
    _, path = _parsed(target)
    require_writable(path)


def _parsed(target: str) -> tuple[Callable[[Report], str], Path]:
    name, separator, path = target.partition("=")
    if name not in FORMATS or not separator or not path:
        raise ReportError(f"--report {target!r} is not FORMAT=PATH. Formats: {', '.join(FORMATS)}.")
    return FORMATS[name], Path(path)
