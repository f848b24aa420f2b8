"""Errors of pages are detected; the front page has none."""

import pytest

from .accessibility import grave_findings
from .conftest import DESKTOP, PHONE

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def mock_alone(start_mock):
    return start_mock("--no-control")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE])
@pytest.mark.parametrize("server", ["mock", "mock_alone"])
def test_the_front_page_is_clean_dark_and_fits(request, open_page, server, viewport):
    page = open_page(viewport=viewport, color_scheme="dark")
    response = page.goto(request.getfixturevalue(server) + "/")

    assert "deadringer" in page.title()
    assert "default-src 'none'" in response.headers["content-security-policy"]
    canvas = "getComputedStyle(document.body).colorScheme + getComputedStyle(document.body).color"
    assert "rgb(0, 0, 0)" not in page.evaluate(canvas)
    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    assert grave_findings(page) == []


def test_the_front_page_leads_to_the_trace_of_each_story(mock, page):
    page.goto(mock + "/")
    page.get_by_role("link", name="loop_fails_half_way").click()

    page.get_by_role("tree", name="Steps").wait_for()


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("console.error('oh')", "console error: oh"),
        ("setTimeout(() => { throw new Error('no') })", "page error: no"),
        ("alert('hello')", "dialog: hello"),
        ("fetch('http://192.0.2.1/').catch(() => 0)", "left the machine: http://192.0.2.1/"),
    ],
)
def test_a_page_that_misbehaves_is_seen(mock, open_bare, watch, script, message):
    page = open_bare(mock + "/openapi.json")  # it has no policy
    page.evaluate(f"() => {{ {script} }}")
    for _ in range(100):
        if message not in watch.wrongs:
            page.wait_for_timeout(50)

    assert message in watch.wrongs
    watch.forgive()


def test_a_script_that_the_policy_forbids_is_seen(page, watch):
    policy = "default-src 'none'; script-src 'self'"
    html = "<!doctype html><title>x</title><script>document.title = 'ran'</script>"
    page.route(
        "http://127.0.0.1:9/",
        lambda route: route.fulfill(
            body=html, content_type="text/html", headers={"Content-Security-Policy": policy}
        ),
    )
    page.goto("http://127.0.0.1:9/")

    assert page.title() == "x"
    assert any("script-src" in wrong for wrong in watch.wrongs)
    watch.forgive()


def test_an_element_without_a_name_is_found(mock, open_page):
    page = open_page(viewport=PHONE)
    page.goto(mock + "/")
    page.evaluate("() => document.body.append(document.createElement('button'))")

    assert any(one.startswith("button-name") for one in grave_findings(page))


@pytest.mark.parametrize("turn", ["first", "second"])
def test_a_page_finds_nothing_that_another_test_left(mock, page, turn):
    page.goto(mock + "/")
    left = page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]")
    page.evaluate(
        """turn => {
          localStorage.setItem("left", turn);
          sessionStorage.setItem("left", turn);
          document.cookie = "left=" + turn;
        }""",
        turn,
    )

    assert left == [0, 0, ""]
    assert page.context.cookies() != []
