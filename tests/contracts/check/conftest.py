"""A report with a finding whose text is hostile."""

from typing import Any

import pytest

from deadringer.contracts import Severity, Violation
from deadringer.contracts.check import (
    Conclusion,
    Example,
    Finding,
    Outcome,
    Report,
    RuleResult,
)
from deadringer.contracts.rules import Group

HOSTILE = "<script>alert(1)</script> javascript:alert(2) \x00 ``` | \" ' </pre>"
DOCUMENT = {"data": {"status": "failed", "error": HOSTILE, "duration_ms": 4}}


def result(name: str, outcome: Outcome, **more: Any) -> RuleResult:
    defaults: dict[str, Any] = {"tested": 3, "reason": "", "findings": ()}
    return RuleResult(
        rule_id="DR019",
        rule=name,
        title="A duration is the end minus the start.",
        group=Group.TIME,
        severity=Severity.ERROR,
        source="Every example",
        outcome=outcome,
        **{**defaults, **more},
    )


@pytest.fixture
def report() -> Report:
    violation = Violation(
        rule="duration_is_end_minus_start",
        pointer="/data/duration_ms",
        expected=f"4320 {HOSTILE}",
        got="4",
        fix="send milliseconds",
        source="Every example",
    )
    example = Example(
        violation,
        f"GET /v1/workflows/wf/executions/{HOSTILE} -> 200",
        'curl -i -H "x-api-key: $DEADRINGER_API_KEY" http://127.0.0.1:1/v1',
        "getExecution",
        DOCUMENT,
        seed=7,
    )
    finding = Finding(
        "duration_is_end_minus_start",
        Severity.ERROR,
        "/data/duration_ms",
        "getExecution",
        5,
        (example,),
    )
    return Report(
        base_url="http://127.0.0.1:1",
        started_at="2026-03-27T10:15:00.000Z",
        elapsed_s=1.5,
        requests=12,
        seed=0,
        conclusion=Conclusion.FAILED,
        results=(
            result("duration_is_end_minus_start", Outcome.FAILED, findings=(finding,)),
            result("end_is_not_before_start", Outcome.PASSED),
            result("created_is_near", Outcome.SKIPPED, tested=0, reason="needs a run"),
        ),
        notes=("waited 3 s",),
    )
