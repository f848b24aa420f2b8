"""Apply many rules to one subject."""

from collections.abc import Iterable

from deadringer.contracts.json_types import Json
from deadringer.contracts.validation import validate
from deadringer.contracts.violations import Violation

from .model import Context, Rule, Scope
from .selection import RULES
from .steps import Execution

_OF_ONE_EXECUTION = frozenset({Scope.EXECUTION, Scope.AGED})


def apply_rules(
    scope: Scope,
    *subject: Json,
    context: Context | None = None,
    rules: Iterable[Rule] = RULES,
) -> list[Violation]:
    """Return every violation of a subject of the rules of one scope; Scope lists its parts."""
    subject = (*prepared(scope, subject), context or Context())
    found: list[Violation] = []
    for rule in rules:
        if rule.scope is scope and rule.when(*subject):
            found += rule.violations(*subject)
    return found


def prepared(scope: Scope, subject: tuple[Json, ...]) -> tuple[Json, ...]:
    """Return a subject from which many rules derive things once, and not once each.

    Nothing may change it while it is used.
    """
    if scope in _OF_ONE_EXECUTION and isinstance(subject[0], dict):
        return (Execution(subject[0]), *subject[1:])
    return subject


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
