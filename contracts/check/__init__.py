"""The conformance runner: test a server at a base URL against the contract."""

from .access import (
    KEY_HEADER,
    Access,
    AccessError,
    httpcore_proxy,
    proxy_for,
    read_header,
    read_header_name,
    read_key,
    ssl_context_of,
)
from .atomic_files import write_atomically
from .baseline import BaselineChange, BaselineError, apply_baseline, load_baseline, update_baseline
from .http.bodies import BodyTooLargeError, decoded_body
from .http.deadline_transport import httpx_errors
from .http.failures import failure_of
from .http.fetch import Fetched, Fetcher, FetchError
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
from .traffic import TrafficOptions, TrafficValidator

__all__ = [
    "FORMATS",
    "KEY_HEADER",
    "WAITING",
    "Access",
    "AccessError",
    "BaselineChange",
    "BaselineError",
    "BodyTooLargeError",
    "CheckOptions",
    "Conclusion",
    "Example",
    "FetchError",
    "Fetched",
    "Fetcher",
    "Finding",
    "Interruption",
    "OptionError",
    "Outcome",
    "Phase",
    "Report",
    "ReportError",
    "RuleResult",
    "TrafficOptions",
    "TrafficValidator",
    "annotated",
    "apply_baseline",
    "decoded_body",
    "failure_of",
    "httpcore_proxy",
    "httpx_errors",
    "load_baseline",
    "proxy_for",
    "read_header",
    "read_header_name",
    "read_key",
    "render_text",
    "require_origin",
    "require_target",
    "require_writable",
    "result_lines",
    "run_check",
    "ssl_context_of",
    "update_baseline",
    "write_atomically",
    "write_report",
    "write_step_summary",
]
