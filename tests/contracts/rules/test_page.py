"""docs/reference/rules.md matches the rules."""

from deadringer.contracts.rules.page import page
from tests.project import ROOT


def test_the_page_of_rules_is_current() -> None:
    assert (ROOT / "docs/reference/rules.md").read_text("utf-8") == page()
