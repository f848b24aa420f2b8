"""Apply many rules to one subject."""

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
    """Return every violation of a subject of the rules of one scope; Scope lists its parts."""
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
    """Return every violation between two reads of one run, the earlier first."""
    return apply_rules(Scope.READS, earlier, later, context=context, rules=rules)


def unexplained(shape: Iterable[Violation], found: Iterable[Violation]) -> list[Violation]:
    """Return the schema violations of places without a rule violation.

    Conditionals and formats of the schema repeat rules; the rule explains more.
    """
    explained = {violation.pointer for violation in found}
    return [one for one in shape if not (_repeats_a_rule(one) and one.pointer in explained)]


def _repeats_a_rule(violation: Violation) -> bool:
    return "/then/" in violation.source or violation.source.endswith("/format")
