"""The rules page: every rule, its examples, and links to one of them."""

import pytest

from deadringer.contracts.rules import RULES

from .accessibility import grave_findings
from .conftest import DESKTOP, PHONE

PATH = "/__mock/ui/rules"


def shown(page):
    return page.locator(".rule:visible")


def test_an_anchor_opens_its_promise_by_id_and_by_name(mock, page):
    page.goto(f"{mock}{PATH}#DR019")
    rule = page.locator("#DR019")

    assert rule.get_attribute("open") == ""
    assert rule.locator("mark").inner_text().strip() == '"duration_ms": 4'
    assert "duration-in-seconds" in rule.inner_text()
    page.goto(f"{mock}{PATH}#end_is_not_before_start")
    assert page.locator("#DR018a").get_attribute("open") == ""


def test_promises_are_narrowed_down_by_text_group_and_grade(mock, page):
    page.goto(mock + PATH)
    assert shown(page).count() == len(RULES)

    page.get_by_label("Group").select_option("time")
    page.get_by_label("Severity").select_option("warning")
    assert shown(page).count() == 2
    page.get_by_label("Search").fill("created")
    assert shown(page).count() == 1
    assert page.get_by_role("status").inner_text() == f"1 of {len(RULES)} rules"


def test_it_is_used_by_keyboard(mock, page):
    page.goto(mock + PATH)
    page.get_by_label("Search").focus()
    page.keyboard.type("DR046")
    for _ in range(3):  # over group and severity to the one rule left
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    assert page.locator("#DR046").get_attribute("open") == ""


@pytest.mark.parametrize(("scheme", "size"), [("light", DESKTOP), ("dark", PHONE)])
def test_it_is_accessible_everywhere(mock, open_page, scheme, size):
    page = open_page(viewport=size, color_scheme=scheme)
    page.goto(f"{mock}{PATH}#DR019")

    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert grave_findings(page) == []
