"""The report as SARIF 2.1.0, for code-scanning pages."""

import hashlib
import json

from deadringer.contracts.check.report import FoldedFinding, Promise, Report
from deadringer.contracts.json_types import JsonObject
from deadringer.contracts.violations import Severity

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
PROMISE_FILE = "openapi.yaml"


def render_sarif(report: Report) -> str:
    """Give one run with a result for each folded breach; the promise is its location."""
    document = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "deadringer",
                        "rules": [_rule(promise) for promise in report.promises],
                    }
                },
                "results": [
                    _result(promise, index, folded)
                    for index, promise in enumerate(report.promises)
                    for folded in promise.findings
                ],
                "properties": {"baseUrl": report.base_url, "seed": report.seed},
            }
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _rule(promise: Promise) -> JsonObject:
    return {
        "id": promise.rule_id,
        "name": promise.rule,
        "shortDescription": {"text": promise.title or promise.rule},
        "fullDescription": {"text": f"{promise.title} Source: {promise.source}."},
        "defaultConfiguration": {"level": promise.severity.value},
    }


def _result(promise: Promise, index: int, folded: FoldedFinding) -> JsonObject:
    finding = folded.examples[0]
    violation = finding.violation
    place = f"{finding.request} {violation.pointer or '/'}"
    return {
        "ruleId": promise.rule_id,
        "ruleIndex": index,
        "level": "error" if folded.severity is Severity.ERROR else "warning",
        "message": {"text": f"{place}: {violation.message}. Fix: {violation.fix}."},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": PROMISE_FILE}},
                "logicalLocations": [{"fullyQualifiedName": place, "kind": "member"}],
            }
        ],
        "occurrenceCount": folded.count,
        "partialFingerprints": {
            "deadringer/v1": hashlib.sha256(
                folded.fingerprint.encode("utf-8", "backslashreplace")
            ).hexdigest()
        },
        "suppressions": [{"kind": "external"}] if folded.accepted else [],
        "properties": {"curl": finding.curl, "seed": finding.seed},
    }
