"""docs/reference/rules.md matches the rules."""

from deadringer.contracts.rules import RULES, Severity
from deadringer.contracts.rules.page import WHY_WARNINGS, page
from tests.project import ROOT


def test_the_page_of_rules_is_current() -> None:
    assert (ROOT / "docs/reference/rules.md").read_text("utf-8") == page()


def test_every_warning_says_why_it_is_not_an_error() -> None:
    warnings = {rule.name for rule in RULES if rule.severity is Severity.WARNING}

    assert warnings == WHY_WARNINGS.keys()
