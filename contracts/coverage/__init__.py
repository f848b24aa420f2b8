"""What a client has met of the API: operations, statuses, error codes and situations."""

from .catalogue import coverage_items, situations
from .model import (
    Address,
    CoverageItem,
    DocumentedRequest,
    Section,
    Situation,
    curl_line,
)
from .report import (
    TOTAL,
    CoverageReport,
    SectionCoverage,
    Threshold,
    ThresholdError,
    parse_threshold,
    render_coverage,
)
from .tally import CoverageFormatError, CoverageTally, Sighting, is_coverage

__all__ = [
    "TOTAL",
    "Address",
    "CoverageFormatError",
    "CoverageItem",
    "CoverageReport",
    "CoverageTally",
    "DocumentedRequest",
    "Section",
    "SectionCoverage",
    "Sighting",
    "Situation",
    "Threshold",
    "ThresholdError",
    "coverage_items",
    "curl_line",
    "is_coverage",
    "parse_threshold",
    "render_coverage",
    "situations",
]
