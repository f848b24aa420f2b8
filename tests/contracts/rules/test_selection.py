"""Rules are found by name, id and group, and each has a description."""

import re
from collections import Counter

import pytest

from deadringer.contracts.rules import RULES, Group, Rule, rule_named, select


def test_ids_and_names_are_used_once() -> None:
    for member in ("id", "name"):
        assert max(Counter(getattr(rule, member) for rule in RULES).values()) == 1


def test_every_assertion_of_the_contract_has_a_rule() -> None:
    numbers = {int(re.match(r"DR(\d+)", rule.id)[1]) for rule in RULES}

    assert set(range(1, 53)) <= numbers


@pytest.mark.parametrize("rule", RULES, ids=lambda one: one.name)
def test_a_rule_says_what_it_promises_and_who_says_so(rule: Rule) -> None:
    title = rule.why.partition("\n\n")[0]

    assert title.endswith(".")
    assert rule.source
    assert re.fullmatch(r"DR\d{3}[a-z]?", rule.id)
    assert re.fullmatch(r"[a-z][a-z0-9_]+", rule.name)


def test_rules_are_selected_by_name_id_and_group() -> None:
    assert [rule.name for rule in select(only=["DR007"])] == ["failed_run_says_why"]
    assert {rule.group for rule in select(only=["time"])} == {Group.TIME}
    assert "failed_run_says_why" not in {rule.name for rule in select(skip=["errors"])}
    assert len(select()) == len(RULES)
    assert rule_named("DR018a").name == "end_is_not_before_start"


def test_an_unknown_name_is_an_error_that_names_near_ones() -> None:
    with pytest.raises(ValueError, match="failed_run_says_why"):
        select(only=["failed_run_says_wy"])
    with pytest.raises(ValueError, match="There is no rule or group"):
        rule_named("nonsense")


def test_a_part_of_a_name_suggests_the_names_that_contain_it_and_lists_the_groups() -> None:
    with pytest.raises(ValueError, match=r"Did you mean duration_is_.*\?") as error:
        select(only=["duration"])

    assert "duration_is_end_minus_start" in str(error.value)
    assert "The groups are shape, identity, " in str(error.value)
    assert "docs/" not in str(error.value)
