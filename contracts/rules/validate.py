"""Applying many rules to one subject."""

from collections.abc import Iterable

from deadringer.contracts.json_types import Json
from deadringer.contracts.validation import validate
from deadringer.contracts.violations import Violation

from .model import Context, Rule, Scope
from .selection import RULES


def apply_rules(
    scope: Scope,
    *subject: Json,
    context: Context | None = None,
    rules: Iterable[Rule] = RULES,
) -> list[Violation]:
    """Return every violation of a subject by the rules of one scope; Scope names its parts."""
    subject = (*subject, context or Context())
    return [
        violation
        for rule in rules
        if rule.scope is scope and rule.when(*subject)
        for violation in rule.violations(*subject)
    ]


def validate_execution(
    execution: Json, context: Context | None = None, rules: Iterable[Rule] = RULES
) -> list[Violation]:
    """Return every violation of one execution: schema and all rules that read one document."""
    context = context or Context()
    shape = list(validate(execution, "execution", strict=context.settings.strict))
    if not isinstance(execution, dict):
        return shape
    found = apply_rules(Scope.EXECUTION, execution, context=context, rules=rules)
    return [*unexplained(shape, found), *found]


def validate_pair(
    earlier: Json, later: Json, context: Context | None = None, rules: Iterable[Rule] = RULES
) -> list[Violation]:
    """Return every violation between two reads of one run, in the order they were made."""
    return apply_rules(Scope.READS, earlier, later, context=context, rules=rules)


def unexplained(shape: Iterable[Violation], found: Iterable[Violation]) -> list[Violation]:
    """Leave out what a conditional or a format says of a place a rule speaks of as well.

    Both say the same, and the rule says it in words.
    """
    message = {violation.pointer for violation in found}
    return [one for one in shape if not (_is_promise(one) and one.pointer in message)]


def _is_promise(violation: Violation) -> bool:
    return "/then/" in violation.source or violation.source.endswith("/format")
