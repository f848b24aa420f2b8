"""The baseline: accepted findings, which do not fail the check."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

from deadringer.contracts.input_files import InputFileError, read_text_file
from deadringer.contracts.json_text import JsonError, parse_json
from deadringer.contracts.json_types import JsonObject
from deadringer.contracts.violations import Severity

from .atomic_files import ReportError, write_atomically
from .report import Conclusion, Finding, Outcome, Report, RuleResult

Baseline = dict[str, JsonObject]
"""Accepted findings by fingerprint."""


class BaselineError(ValueError):
    """A baseline file cannot be used; the message states where and how to fix it."""


def load_baseline(path: Path) -> Baseline:
    """Return the accepted findings of a baseline file.

    Raises:
        BaselineError: if the file is missing, is not JSON, or has an unknown structure.
    """
    fix = "Write it with --baseline-update."
    try:
        content = parse_json(read_text_file(path)).value
    except JsonError as error:
        place = f"{path}:{error.line}:{error.column}" if error.line else f"{path}"
        raise BaselineError(f"{place}: not JSON: {error.reason}. {fix}") from error
    except InputFileError as error:
        raise BaselineError(f"{path} cannot be read: {error}. {fix}") from error
    accepted = content.get("accepted") if isinstance(content, dict) else None
    if not isinstance(accepted, list):
        raise BaselineError(f"{path}: /accepted: expected an array. {fix}")
    for index, entry in enumerate(accepted):
        if not isinstance(entry, dict) or not isinstance(entry.get("fingerprint"), str):
            raise BaselineError(f"{path}: /accepted/{index}/fingerprint: expected a string. {fix}")
    return {entry["fingerprint"]: entry for entry in accepted}


@dataclass(frozen=True, slots=True)
class BaselineChange:
    """What an update did, as fingerprints; `not_tested` are those kept because nothing is known."""

    added: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    not_tested: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return one line with the counts."""
        counts = f"{len(self.added)} added, {len(self.kept)} kept, {len(self.removed)} removed"
        untouched = len(self.not_tested)
        return f"{counts}, {untouched} not tested and kept" if untouched else counts


def update_baseline(path: Path, report: Report) -> BaselineChange:
    """Write every finding of a report as accepted, with the date of its first acceptance.

    An accepted finding that was not seen is removed if its rule was tested in a complete check, and
    kept otherwise: a partial check knows nothing of the rest.

    Raises:
        BaselineError: if the existing file is malformed or the new one cannot be written.
    """
    known = load_baseline(path) if path.exists() else {}
    seen = {one.fingerprint: one for result in report.results for one in result.findings}
    gone, not_tested = _unseen(report, known)
    entries = {name: known[name] for name in not_tested}
    for name, finding in seen.items():
        first_seen = known.get(name, {}).get("first_seen", report.started_at)
        entries[name] = {
            "fingerprint": name,
            "rule": finding.rule,
            "operation": finding.operation_id,
            "pointer": finding.pattern,
            "severity": finding.severity.value,
            "first_seen": first_seen,
        }
    accepted = [entries[name] for name in sorted(entries)]
    try:
        write_atomically(path, json.dumps({"accepted": accepted}, indent=2) + "\n")
    except ReportError as error:
        raise BaselineError(str(error)) from error
    return BaselineChange(
        added=tuple(sorted(seen.keys() - known.keys())),
        kept=tuple(sorted(seen.keys() & known.keys())),
        removed=gone,
        not_tested=not_tested,
    )


def _unseen(report: Report, baseline: Baseline) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the accepted findings that are gone, and those nothing is known of."""
    tested = {result.rule for result in report.results if result.tested}
    seen = {finding.fingerprint for result in report.results for finding in result.findings}
    unseen = sorted(baseline.keys() - seen)
    gone = [name for name in unseen if not report.is_partial and name.partition(" ")[0] in tested]
    return tuple(gone), tuple(name for name in unseen if name not in gone)


def apply_baseline(report: Report, baseline: Baseline, *, fail_on: Severity) -> Report:
    """Return the report with accepted findings marked; these do not fail the check.

    `notes` lists each accepted finding that a complete check of its rule did not see.
    """
    results = tuple(_marked(result, baseline) for result in report.results)
    gone = tuple(
        f"{name} is accepted by the baseline and was not seen; --baseline-update removes it"
        for name in _unseen(report, baseline)[0]
    )
    marked = replace(report, results=results, notes=(*report.notes, *gone))
    if report.conclusion is Conclusion.FAILED and not is_failed(marked, fail_on):
        return replace(marked, conclusion=Conclusion.PASSED)
    return marked


def is_failed(report: Report, fail_on: Severity) -> bool:
    """Return whether a finding that is not accepted has a severity that fails the check."""
    failing = {Severity.ERROR} if fail_on is Severity.ERROR else set(Severity)
    return any(
        finding.severity in failing and not finding.accepted
        for result in report.results
        for finding in result.findings
    )


def _marked(result: RuleResult, baseline: Baseline) -> RuleResult:
    findings = tuple(
        replace(finding, accepted=finding.fingerprint in baseline) for finding in result.findings
    )
    outcome = result.outcome
    if outcome is Outcome.FAILED and not any(_fails(finding) for finding in findings):
        outcome = Outcome.WARNING
    return replace(result, findings=findings, outcome=outcome)


def _fails(finding: Finding) -> bool:
    return finding.severity is Severity.ERROR and not finding.accepted
