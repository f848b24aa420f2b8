"""Invalid mode breaks exactly one promise; every rule that reads one execution has a way."""

import pytest

from deadringer.contracts.rules import RULES, Scope
from deadringer.fixtures.generator.violations import BREACHES, breakable_rules, broken, broken_run

from .judging import judged

# The schema makes these two promises as well (a format, a minimum) and so breaks with them.
SAID_BY_THE_SCHEMA = {"duration_is_not_negative", "timestamps_are_iso_8601_with_a_zone"}


def test_every_rule_that_reads_one_execution_can_be_broken():
    readers = {rule.name for rule in RULES if rule.scope is Scope.EXECUTION}

    assert readers | {"schema"} == set(BREACHES)
    assert {rule.name for rule in breakable_rules()} == set(BREACHES)


@pytest.mark.parametrize("promise", BREACHES)
def test_exactly_the_named_promise_is_broken(promise):
    for seed in range(10):
        case = broken_run(seed, promise)

        found = {violation.rule for violation in judged(case.execution, case.workflow)}

        allowed = {"schema"} if promise in SAID_BY_THE_SCHEMA else set()
        assert found - allowed == {promise}


def test_a_promise_can_be_named_by_its_id():
    assert broken(1, "DR005") == broken(1, "running_run_has_no_end")


def test_the_same_seed_breaks_it_the_same_way():
    assert broken(1, "DR019") == broken(1, "DR019")
    assert broken(1, "DR019") != broken(2, "DR019")


@pytest.mark.parametrize("promise", ["no_such_rule", "status_only_moves_forward"])
def test_other_promises_are_refused(promise):
    with pytest.raises(ValueError, match=promise):
        broken(1, promise)
