"""The report as SARIF 2.1.0, for code-scanning pages."""

import hashlib
import json

from deadringer.contracts.check.report import Finding, Report, RuleResult
from deadringer.contracts.json_types import JsonObject
from deadringer.contracts.violations import Severity

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
SPECIFICATION_FILE = "openapi.yaml"


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
                        "rules": [_rule(result) for result in report.results],
                    }
                },
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


def _rule(result: RuleResult) -> JsonObject:
    return {
        "id": result.rule_id,
        "name": result.rule,
        "shortDescription": {"text": result.title or result.rule},
        "fullDescription": {"text": f"{result.title} Source: {result.source}."},
        "defaultConfiguration": {"level": result.severity.value},
    }


def _result(result: RuleResult, index: int, finding: Finding) -> JsonObject:
    example = finding.examples[0]
    violation = example.violation
    place = f"{example.request} {violation.pointer or '/'}"
    return {
        "ruleId": result.rule_id,
        "ruleIndex": index,
        "level": "error" if finding.severity is Severity.ERROR else "warning",
        "message": {"text": f"{place}: {violation.message}. Fix: {violation.fix}."},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": SPECIFICATION_FILE}},
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
