"""Breaches a team accepts for now, so that a check can be adopted today and ratcheted."""

import json
from dataclasses import replace
from pathlib import Path

from deadringer.contracts.json_types import Json, JsonObject
from deadringer.contracts.violations import Severity

from .atomic_files import ReportError, write_atomically
from .report import FoldedFinding, Promise, Report, Result, Verdict

Baseline = dict[str, JsonObject]
"""Accepted breaches by fingerprint."""


class BaselineError(ValueError):
    """A baseline file cannot be used; the message says where and how to fix it."""


def load_baseline(path: Path) -> Baseline:
    """Read the accepted breaches.

    Raises:
        BaselineError: if the file is missing, is not JSON, or has another form.
    """
    fix = "Write it with --baseline-update."
    try:
        content: Json = json.loads(path.read_text("utf-8"))
    except json.JSONDecodeError as error:
        raise BaselineError(
            f"{path}:{error.lineno}:{error.colno}: not JSON: {error.msg}. {fix}"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BaselineError(f"{path} cannot be read: {reason}. {fix}") from error
    accepted = content.get("accepted") if isinstance(content, dict) else None
    if not isinstance(accepted, list):
        raise BaselineError(f"{path}: /accepted: expected an array. {fix}")
    for index, entry in enumerate(accepted):
        if not isinstance(entry, dict) or not isinstance(entry.get("fingerprint"), str):
            raise BaselineError(f"{path}: /accepted/{index}/fingerprint: expected a text. {fix}")
    return {entry["fingerprint"]: entry for entry in accepted}


def update_baseline(path: Path, report: Report) -> None:
    """Write every breach of a report as accepted; the date of known ones is kept.

    Raises:
        BaselineError: if the present file is malformed or the new one cannot be written.
    """
    known = load_baseline(path) if path.exists() else {}
    entries = {}
    for promise in report.promises:
        for folded in promise.findings:
            first_seen = known.get(folded.fingerprint, {}).get("first_seen", report.started_at)
            entries[folded.fingerprint] = {
                "fingerprint": folded.fingerprint,
                "rule": folded.rule,
                "operation": folded.operation_id,
                "pointer": folded.pattern,
                "severity": folded.severity.value,
                "first_seen": first_seen,
            }
    accepted = [entries[name] for name in sorted(entries)]
    try:
        write_atomically(path, json.dumps({"accepted": accepted}, indent=2) + "\n")
    except ReportError as error:
        raise BaselineError(str(error)) from error


def apply_baseline(report: Report, baseline: Baseline, *, fail_on: Severity) -> Report:
    """Mark accepted breaches; they no longer break the verdict. Tells which are gone."""
    promises = tuple(_marked(promise, baseline) for promise in report.promises)
    seen = {folded.fingerprint for promise in promises for folded in promise.findings}
    gone = tuple(
        f"{name} is accepted by the baseline and was not seen; --baseline-update removes it"
        for name in sorted(baseline.keys() - seen)
    )
    marked = replace(report, promises=promises, notes=(*report.notes, *gone))
    if report.verdict is Verdict.BROKEN and not is_broken(marked, fail_on):
        return replace(marked, verdict=Verdict.CONFORMS)
    return marked


def is_broken(report: Report, fail_on: Severity) -> bool:
    """Whether a breach that is not accepted reaches the severity that fails a check."""
    failing = {Severity.ERROR} if fail_on is Severity.ERROR else set(Severity)
    return any(
        folded.severity in failing and not folded.accepted
        for promise in report.promises
        for folded in promise.findings
    )


def _marked(promise: Promise, baseline: Baseline) -> Promise:
    findings = tuple(
        replace(folded, accepted=folded.fingerprint in baseline) for folded in promise.findings
    )
    result = promise.result
    if result is Result.BROKEN and not any(_breaks(folded) for folded in findings):
        result = Result.WARNED
    return replace(promise, findings=findings, result=result)


def _breaks(folded: FoldedFinding) -> bool:
    return folded.severity is Severity.ERROR and not folded.accepted
