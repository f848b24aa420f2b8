"""The report as JSON; its form is described by `report.schema.json` beside this file."""

import json

from deadringer.contracts.check.report import Finding, FoldedFinding, Promise, Report, Result
from deadringer.contracts.json_types import JsonObject


def render_json(report: Report) -> str:
    """Give the report as an indented JSON document."""
    return json.dumps(report_document(report), indent=2, ensure_ascii=False) + "\n"


def report_document(report: Report) -> JsonObject:
    """Give the report as JSON values."""
    return {
        "base_url": report.base_url,
        "started_at": report.started_at,
        "elapsed_s": round(report.elapsed_s, 3),
        "requests": report.requests,
        "seed": report.seed,
        "verdict": report.verdict.value,
        "exit_code": report.exit_code,
        "could_not_check": report.could_not_check or None,
        "notes": list(report.notes),
        "counts": {result.value: report.count(result) for result in Result},
        "promises": [_promise(promise) for promise in report.promises],
    }


def _promise(promise: Promise) -> JsonObject:
    return {
        "id": promise.rule_id,
        "rule": promise.rule,
        "title": promise.title,
        "group": promise.group.value,
        "severity": promise.severity.value,
        "source": promise.source,
        "result": promise.result.value,
        "exercised": promise.exercised,
        "reason": promise.reason or None,
        "findings": [_folded(folded) for folded in promise.findings],
    }


def _folded(folded: FoldedFinding) -> JsonObject:
    return {
        "fingerprint": folded.fingerprint,
        "severity": folded.severity.value,
        "operation": folded.operation_id,
        "pointer": folded.pattern,
        "count": folded.count,
        "accepted": folded.accepted,
        "examples": [_finding(finding) for finding in folded.examples],
    }


def _finding(finding: Finding) -> JsonObject:
    violation = finding.violation
    return {
        "request": finding.request,
        "curl": finding.curl,
        "pointer": violation.pointer,
        "expected": violation.expected,
        "got": violation.got,
        "fix": violation.fix,
        "source": violation.source,
        "seed": finding.seed,
    }
