"""Every tolerated variant conforms: the check has no false alarms."""

import pytest

from deadringer.contracts.check import CheckOptions, Conclusion, run_check
from tests.mutation.more_variants import MORE_VARIANTS
from tests.mutation.variants import VARIANTS, Variant, served

# The others take minutes.
FAST = {"the mock itself"}
CASES = [
    pytest.param(one, marks=() if one.name in FAST else pytest.mark.slow, id=one.name)
    for one in (*VARIANTS[::6], *MORE_VARIANTS[::12])
]
"""Some of them, as a check takes some 20 s: `make mutation` tries them all."""
IDS = {"workflow_ids": ("wf_abc123",), "run_ids": ("run_x7k9m2",)}


@pytest.mark.parametrize("variant", CASES)
def test_a_tolerated_variant_conforms(variant: Variant) -> None:
    with served(variant) as url:
        report = run_check(
            CheckOptions(
                base_url=url,
                api_key=variant.api_key,
                watch_s=0.6,
                generated_cases=15,
                writes_allowed=variant.writes,
                **(IDS if variant.needs_ids else {}),
            )
        )

    findings = [
        (
            one.rule,
            found.pattern,
            found.examples[0].request,
            found.examples[0].violation.message,
        )
        for one in report.results
        for found in one.findings
        if found.severity.value == "error"
    ]
    assert findings == []
    assert report.conclusion is Conclusion.PASSED, report.reason
