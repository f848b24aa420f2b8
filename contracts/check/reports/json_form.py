"""The report as JSON; `report.schema.json` beside this file is its schema."""

import json

from deadringer.contracts.check.report import Example, Finding, Outcome, Report, RuleResult
from deadringer.contracts.json_types import JsonObject


def render_json(report: Report) -> str:
    """Return the report as an indented JSON document."""
    return json.dumps(report_document(report), indent=2, ensure_ascii=False) + "\n"


def report_document(report: Report) -> JsonObject:
    """Return the report as JSON values."""
    return {
        "base_url": report.base_url,
        "started_at": report.started_at,
        "elapsed_s": round(report.elapsed_s, 3),
        "requests": report.requests,
        "seed": report.seed,
        "conclusion": report.conclusion.value,
        "exit_code": report.exit_code,
        "reason": report.reason or None,
        "notes": list(report.notes),
        "counts": {outcome.value: report.count(outcome) for outcome in Outcome},
        "results": [_result(result) for result in report.results],
    }


def _result(result: RuleResult) -> JsonObject:
    return {
        "id": result.rule_id,
        "rule": result.rule,
        "title": result.title,
        "group": result.group.value,
        "severity": result.severity.value,
        "source": result.source,
        "outcome": result.outcome.value,
        "tested": result.tested,
        "reason": result.reason or None,
        "findings": [_finding(finding) for finding in result.findings],
    }


def _finding(finding: Finding) -> JsonObject:
    return {
        "fingerprint": finding.fingerprint,
        "severity": finding.severity.value,
        "operation": finding.operation_id,
        "pointer": finding.pattern,
        "count": finding.count,
        "accepted": finding.accepted,
        "examples": [_example(example) for example in finding.examples],
    }


def _example(example: Example) -> JsonObject:
    violation = example.violation
    return {
        "request": example.request,
        "curl": example.curl,
        "pointer": violation.pointer,
        "expected": violation.expected,
        "got": violation.got,
        "fix": violation.fix,
        "source": violation.source,
        "seed": example.seed,
    }
