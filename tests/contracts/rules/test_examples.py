"""Every rule accepts what it should and refuses what it should, at the right place."""

import pytest

from deadringer.contracts.rules import RULES, Rule

from .loading import FOLDER, context_of, examples, subject_of

ACCEPTED = [
    pytest.param(rule, example, id=f"{rule.name}: {example['description']}")
    for rule in RULES
    for example in examples(rule.name)["accepted"]
]
REFUSED = [
    pytest.param(rule, example, id=f"{rule.name}: {example['description']}")
    for rule in RULES
    for example in examples(rule.name)["refused"]
]


def found(rule: Rule, example: dict) -> list:
    subject, context = subject_of(example, rule.scope), context_of(example)
    return list(rule.violations(*subject, context)) if rule.when(*subject, context) else []


def test_every_rule_has_its_examples_and_no_file_is_without_a_rule() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == {rule.name for rule in RULES}
    for rule in RULES:
        assert examples(rule.name).keys() == {"accepted", "refused"}
        assert examples(rule.name)["refused"]


@pytest.mark.parametrize("rule", RULES, ids=lambda one: one.name)
def test_some_accepted_example_is_one_the_promise_speaks_of(rule: Rule) -> None:
    accepted = examples(rule.name)["accepted"]

    assert any(rule.when(*subject_of(one, rule.scope), context_of(one)) for one in accepted)


@pytest.mark.parametrize(("rule", "example"), ACCEPTED)
def test_an_accepted_example_is_no_breach(rule: Rule, example: dict) -> None:
    assert found(rule, example) == []


@pytest.mark.parametrize(("rule", "example"), REFUSED)
def test_a_refused_example_is_a_breach_at_its_place(rule: Rule, example: dict) -> None:
    violations = found(rule, example)

    assert sorted(one.pointer for one in violations) == sorted(example["pointers"])
    wanted = example.get("severity", rule.severity.value)
    assert {one.severity.value for one in violations} == {wanted}
    for one in violations:
        assert one.expected
        assert one.got
        assert one.fix
        assert one.source
