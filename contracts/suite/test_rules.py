"""Every rule of the contract, with the outcome of one check of the server."""

import pytest

from deadringer.contracts.check import CheckOptions, Outcome, RuleResult, result_lines
from deadringer.contracts.violations import Severity


def test_rule(result: RuleResult, options: CheckOptions, warnings: dict[str, str]) -> None:
    """Pass if the rule passed, fail if it failed, skip if it could not be tested."""
    if result.outcome is Outcome.SKIPPED:
        pytest.skip(result.reason)
    fails_on_warning = options.fail_on is Severity.WARNING
    if result.outcome is Outcome.FAILED or (result.outcome is Outcome.WARNING and fails_on_warning):
        pytest.fail("\n".join(result_lines(result, verbose=True)), pytrace=False)
    if result.outcome is Outcome.WARNING:
        warnings[result.rule] = "\n".join(result_lines(result))
