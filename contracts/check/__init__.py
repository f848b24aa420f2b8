"""The conformance runner: test a server at a base URL against the contract."""

from .access import KEY_HEADER, Access, AccessError, read_header, read_header_name, read_key
from .baseline import BaselineChange, BaselineError, apply_baseline, load_baseline, update_baseline
from .interruption import Interruption
from .options import CheckOptions, OptionError, require_origin
from .report import Conclusion, Example, Finding, Outcome, Phase, Report, RuleResult
from .reports import (
    FORMATS,
    ReportError,
    annotated,
    render_text,
    require_target,
    require_writable,
    result_lines,
    write_report,
    write_step_summary,
)
from .runner import WAITING, run_check

__all__ = [
    "FORMATS",
    "KEY_HEADER",
    "WAITING",
    "Access",
    "AccessError",
    "BaselineChange",
    "BaselineError",
    "CheckOptions",
    "Conclusion",
    "Example",
    "Finding",
    "Interruption",
    "OptionError",
    "Outcome",
    "Phase",
    "Report",
    "ReportError",
    "RuleResult",
    "annotated",
    "apply_baseline",
    "load_baseline",
    "read_header",
    "read_header_name",
    "read_key",
    "render_text",
    "require_origin",
    "require_target",
    "require_writable",
    "result_lines",
    "run_check",
    "update_baseline",
    "write_report",
    "write_step_summary",
]
