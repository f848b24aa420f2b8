"""Judging one subject by many rules."""

from collections.abc import Iterable, Sequence

from deadringer.contracts.json_types import Json
from deadringer.contracts.validation import validate
from deadringer.contracts.violations import Violation

from .model import Context, Rule, Scope


def judge(scope: Scope, *subject: Json, context: Context, rules: Iterable[Rule]) -> list[Violation]:
    """Give every violation of a subject; Scope says what its parts are."""
    return [
        violation
        for rule in rules
        if rule.scope is scope and rule.when(*subject, context)
        for violation in rule.violations(*subject, context)
    ]


def judge_execution(execution: Json, context: Context, rules: Sequence[Rule]) -> list[Violation]:
    """Give every violation of one execution, by its schema and by every rule that reads one."""
    shape = list(validate(execution, "execution", strict=context.settings.strict))
    if not isinstance(execution, dict):
        return shape
    found = judge(Scope.EXECUTION, execution, context=context, rules=rules)
    return [*unexplained(shape, found), *found]


def unexplained(shape: Iterable[Violation], found: Iterable[Violation]) -> list[Violation]:
    """Leave out what a conditional or a format says of a place a rule speaks of as well.

    Both say the same, and the rule says it in words.
    """
    told = {violation.pointer for violation in found}
    return [one for one in shape if not (_is_promise(one) and one.pointer in told)]


def _is_promise(violation: Violation) -> bool:
    return "/then/" in violation.source or violation.source.endswith("/format")
