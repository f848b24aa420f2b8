"""The report as SARIF 2.1.0, for code-scanning pages."""

import hashlib
import json
from importlib.metadata import version

from deadringer.contracts.check.report import Conclusion, Finding, Report, RuleResult
from deadringer.contracts.json_types import JsonObject
from deadringer.contracts.violations import Severity

from .places import SPECIFICATION_FILE, region_of

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
DOCUMENTATION = "https://deadringer.example/docs/"
"""Where the documentation is; DECISIONS.md 46 explains the name."""


def render_sarif(report: Report) -> str:
    """Return one SARIF run with a result for each finding; the specification is its location."""
    document = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "deadringer",
                        "version": version("deadringer"),
                        "informationUri": f"{DOCUMENTATION}index.html",
                        "rules": [_rule(result) for result in report.results],
                    }
                },
                "invocations": [
                    {
                        "executionSuccessful": report.conclusion is not Conclusion.INCONCLUSIVE,
                        "exitCode": report.exit_code,
                        "startTimeUtc": report.started_at,
                        "toolExecutionNotifications": _notifications(report),
                    }
                ],
                "columnKind": "unicodeCodePoints",
                "results": [
                    _result(result, index, finding)
                    for index, result in enumerate(report.results)
                    for finding in result.findings
                ],
                "properties": {"baseUrl": report.base_url, "seed": report.seed},
            }
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _notifications(report: Report) -> list[JsonObject]:
    reasons = [{"level": "error", "message": {"text": report.reason}}] if report.reason else []
    return reasons + [{"level": "note", "message": {"text": note}} for note in report.notes]


def _rule(result: RuleResult) -> JsonObject:
    title = result.title or result.rule
    return {
        "id": result.rule_id,
        "name": result.rule,
        "shortDescription": {"text": title},
        "fullDescription": {"text": f"{title} Source: {result.source}."},
        "help": {
            "text": f"{title} Source: {result.source}. "
            f"Page: reference/rules, {result.rule}; or deadringer check --verbose."
        },
        "helpUri": f"{DOCUMENTATION}reference/rules.html#{result.rule}",
        "defaultConfiguration": {"level": result.severity.value},
        "properties": {"tags": ["contract", result.group.value]},
    }


def _result(result: RuleResult, index: int, finding: Finding) -> JsonObject:
    example = finding.examples[0]
    violation = example.violation
    place = f"{example.request} {violation.pointer or '/'}"
    region = region_of(finding)
    return {
        "ruleId": result.rule_id,
        "ruleIndex": index,
        "level": "error" if finding.severity is Severity.ERROR else "warning",
        "message": {"text": f"{place}: {violation.message}. Fix: {violation.fix}."},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": SPECIFICATION_FILE},
                    "region": {
                        "startLine": region.start_line,
                        "startColumn": region.start_column,
                        "endLine": region.end_line,
                        "endColumn": region.end_column,
                    },
                },
                "logicalLocations": [{"fullyQualifiedName": place, "kind": "member"}],
            }
        ],
        "occurrenceCount": finding.count,
        "partialFingerprints": {
            "deadringer/v1": hashlib.sha256(
                finding.fingerprint.encode("utf-8", "backslashreplace")
            ).hexdigest()
        },
        "suppressions": [{"kind": "external"}] if finding.accepted else [],
        "properties": {"curl": example.curl, "seed": example.seed},
    }
