"""The conformance runner: judges any server by the contract, knowing only its base URL."""

from .baseline import BaselineError, apply_baseline, load_baseline, update_baseline
from .options import CheckOptions, OptionError
from .report import Finding, FoldedFinding, Promise, Report, Result, Verdict
from .reports import (
    FORMATS,
    ReportError,
    promise_lines,
    render_text,
    require_target,
    require_writable,
    write_report,
    write_step_summary,
)
from .runner import WAITING, run_check

__all__ = [
    "FORMATS",
    "WAITING",
    "BaselineError",
    "CheckOptions",
    "Finding",
    "FoldedFinding",
    "OptionError",
    "Promise",
    "Report",
    "ReportError",
    "Result",
    "Verdict",
    "apply_baseline",
    "load_baseline",
    "promise_lines",
    "render_text",
    "require_target",
    "require_writable",
    "run_check",
    "update_baseline",
    "write_report",
    "write_step_summary",
]
