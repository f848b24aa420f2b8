"""The contract page: the reference, with requests to this mock."""

import hashlib
import re

import pytest

from tests.project import ROOT

from .accessibility import grave_findings
from .conftest import PHONE

pytestmark = pytest.mark.slow

PATH = "/__mock/ui/contract"
VENDORED = ROOT / "mockserver/admin/ui/static/swagger-ui"


def opened(page, mock, query=""):
    page.goto(mock + PATH + query)
    page.wait_for_selector("#reference[data-ready]")
    page.wait_for_selector(".opblock")
    return page


def test_a_request_is_tried_on_this_mock_with_the_demo_key(mock, page):
    opened(page, mock, "?session=tried")
    page.locator("#operations-Workflows-listWorkflows .opblock-summary-control").press("Enter")
    with page.expect_response("**/v1/workflows?*") as tried:
        page.locator(".execute").press("Enter")

    assert tried.value.status == 200
    assert tried.value.request.headers["x-mock-session"] == "tried"
    assert tried.value.url.startswith(mock)
    assert page.locator(".live-responses-table tbody .response-col_status").inner_text() == "200"


def test_the_document_of_the_control_api_is_tried_too(mock, page):
    opened(page, mock)
    page.get_by_label("Document").select_option(label="The control API")
    page.wait_for_selector("#reference[data-ready*=__mock]")
    page.locator(".opblock-summary-path[data-path='/__mock/state']").click()
    with page.expect_response("**/__mock/state") as tried:
        page.locator(".execute").first.click()

    assert tried.value.status == 200


def test_it_is_whole_dark_where_that_is_wanted_and_fits_a_phone(mock, open_page):
    page = opened(open_page(viewport=PHONE, color_scheme="dark"), mock)
    assert page.locator(".opblock").count() == 8
    assert page.locator(".servers option").all_inner_texts() == [f"{mock} - This mock"]
    assert page.locator(".errors-wrapper, .version-pragma").count() == 0

    page.locator(".opblock-summary-control").first.click()
    page.wait_for_selector(".opblock-body .execute")

    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.locator("html.dark-mode").count() == 1
    page.emulate_media(color_scheme="light")
    page.wait_for_selector("html:not(.dark-mode)")
    page.evaluate("document.querySelector('.swagger-ui').remove()")  # not checked
    assert grave_findings(page) == []


def test_the_vendored_files_are_as_published():
    message = dict(
        re.findall(r"\| `(.+?)` \| `(.+?)` \|", (VENDORED / "README.md").read_text("utf-8"))
    )
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDORED.iterdir()
        if path.name != "README.md"
    }

    assert message == found
