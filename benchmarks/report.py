"""The results as pages of Markdown, and the short table in the documentation."""

import re
from datetime import UTC, datetime
from pathlib import Path

from . import places
from .machine import BUSY, LOAD_BEFORE, facts
from .serving import Report
from .tables import table, verdicts

SUMMARY = places.HERE.parent / "docs" / "explanation" / "benchmarks.md"
_PLACE = re.compile(r"(<!-- benchmarks: begin -->\n).*?(<!-- benchmarks: end -->)", re.DOTALL)


def page(title: str, report: Report, *, is_quick: bool) -> str:
    """Return one page: the machine, the verdicts, then every table."""
    parts = [f"# {title}", _warnings(is_quick=is_quick), verdicts(report.targets)]
    parts += [f"## {heading}\n\n{text}" for heading, text in report.sections]
    parts.append("## Measured on\n\n" + table(("", ""), facts()))
    return "\n\n".join(part for part in parts if part) + "\n"


def _warnings(*, is_quick: bool) -> str:
    text = []
    if is_quick:
        text.append("**A quick try: one round of one second each. Its figures mean little.**")
    if LOAD_BEFORE > BUSY:
        text.append(f"**The machine was busy (load {LOAD_BEFORE:.1f}): figures are disturbed.**")
    return "\n\n".join(text)


def write_page(path: Path, text: str) -> None:
    """Write the page atomically."""
    path.parent.mkdir(exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(text, "utf-8")
    new.replace(path)


def write_summary(reports: list[Report], summary: Path = SUMMARY) -> None:
    """Insert the verdicts, with the date, at the marked place of the documentation page."""
    targets = [target for report in reports for target in report.targets]
    text = f"{datetime.now(UTC):%Y-%m-%d}, all ratios from one run:\n\n{verdicts(targets)}\n\n"
    old = summary.read_text("utf-8")
    new, count = _PLACE.subn(lambda found: found[1] + text + found[2], old)
    if not count:
        raise LookupError(f"{summary.name} has no place between `<!-- benchmarks: … -->` marks.")
    write_page(summary, new)
