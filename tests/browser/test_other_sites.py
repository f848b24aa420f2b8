"""Pages of other sites cannot use the control API; with a token, a browser signs in once."""

import re

import httpx
import pytest

from tests.machine import NO_TLS

from .accessibility import grave_findings
from .conftest import PHONE

pytestmark = pytest.mark.slow

TOKEN = "let me in <script>"


@pytest.fixture(scope="module")
def guarded(start_mock):
    return start_mock("--control-token", TOKEN)


def state_of(mock):
    return httpx.get(f"{mock}/__mock/state").json()


@pytest.fixture
def other_site(page, watch):
    """Show a page of another origin, whose errors are ignored."""

    def show(body):
        page.route(
            "http://other.example/",
            lambda route: route.fulfill(body=f"<!doctype html>{body}", content_type="text/html"),
        )
        page.goto("http://other.example/")
        return page

    yield show
    watch.forgive()  # the errors of that page are expected


def test_neither_its_forms_nor_its_fetches_steer(mock, other_site):
    page = other_site(
        f"<form id=f method=post enctype=text/plain action={mock}/__mock/faults>"
        """<input name='{"kind":"drip","seed":7,"path":"' value='"}'></form>"""
    )
    page.evaluate(
        f"""async () => {{
          for (const body of ['{{"kind":"drip","seed":7}}', new URLSearchParams("kind=drip")])
            await fetch("{mock}/__mock/faults", {{method: "POST", mode: "no-cors", body}})
              .catch(() => 0);
          await fetch("{mock}/__mock/reset", {{method: "POST", mode: "no-cors"}}).catch(() => 0);
        }}"""
    )
    with page.expect_navigation():
        page.evaluate("document.getElementById('f').submit()")

    assert "Cross-site requests to the control API are not allowed" in page.content()
    assert all(fault.get("seed") != 7 for fault in state_of(mock)["faults"])


def test_it_cannot_put_our_pages_in_a_frame(mock, other_site, watch):
    page = other_site(f"<iframe src={mock}/__mock/ui/control></iframe>")
    page.wait_for_timeout(300)

    assert "Reset everything" not in "".join(frame.content() for frame in page.frames)


def test_a_page_of_this_machine_steers_from_another_port(mock, start_mock, open_bare):
    page = open_bare(start_mock("--no-control") + "/openapi.json")
    message = page.evaluate(
        f"""async () => {{
          const headers = {{"Content-Type": "application/json", "X-Mock-Session": "near"}};
          const response = await fetch("{mock}/__mock/chaos",
            {{method: "PUT", headers, body: '{{"profile": "overloaded"}}'}});
          return (await response.json()).chaos;
        }}"""
    )

    page.wait_for_timeout(300)
    assert message == "overloaded"


def test_the_token_is_asked_for_once_and_no_script_can_read_it(guarded, page, watch):
    page.goto(f"{guarded}/__mock/ui/journal")
    page.get_by_label("Token").fill("wrong")
    page.keyboard.press("Enter")
    page.get_by_text("The token is wrong").wait_for()
    watch.forgive("status of 401")
    page.get_by_label("Token").fill(TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{guarded}/__mock/ui/journal")

    page.get_by_text("No requests yet").wait_for()
    page.goto(f"{guarded}/__mock/ui/control")
    page.get_by_role("button", name="Freeze").click()
    page.get_by_role("button", name="Unfreeze").wait_for()
    page.locator(".switch", has_text="latency").locator("summary").first.click()
    page.get_by_text("-H 'X-Mock-Token: YOUR_TOKEN'").wait_for()
    (cookie,) = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert TOKEN not in cookie["value"]
    assert page.evaluate("document.cookie") == ""
    assert httpx.get(f"{guarded}/__mock/state").status_code == 401
    assert httpx.get(f"{guarded}/__mock/state", headers={"X-Mock-Token": TOKEN}).is_success


def test_with_the_cookie_a_page_of_another_port_steers_nothing(
    guarded, mock, page, open_bare, watch
):
    page.goto(f"{guarded}/__mock/ui/control")
    page.get_by_label("Token").fill(TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{guarded}/__mock/ui/control")
    open_bare(mock + "/openapi.json")  # it has no policy that forbids the request
    page.evaluate(
        f"""() => fetch("{guarded}/__mock/faults",
          {{method: "POST", mode: "no-cors", credentials: "include", body: '{{"kind": "drip"}}'}})
          .catch(() => 0)"""
    )

    state = httpx.get(f"{guarded}/__mock/state", headers={"X-Mock-Token": TOKEN}).json()
    assert state["faults"] == []
    watch.forgive("status of 401")


@pytest.mark.parametrize("path", ["runs?workflow=wf_abc123&session=lost", "journal?session=lost"])
def test_a_page_that_lost_its_cookie_asks_for_the_token_and_comes_back(guarded, page, watch, path):
    address = f"{guarded}/__mock/ui/{path}"
    page.goto(address)
    page.get_by_label("Token").fill(TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_url(address)
    page.context.clear_cookies()

    page.wait_for_url(re.compile(r"/__mock/ui/token\?next="))
    assert page.locator("header.bar").count() == 1
    page.get_by_label("Token").fill(TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_url(address)
    watch.forgive("status of 401")


@pytest.mark.parametrize("way", ["..%2f__mock", "%2e%2e%2f__mock", "x%2f..%2f..%2f__mock"])
def test_a_replay_asks_nothing_but_the_api(guarded, page, way):
    token = {"X-Mock-Token": TOKEN, "X-Mock-Session": f"replayed{len(way)}"}
    with httpx.Client(verify=NO_TLS, base_url=guarded, headers=token) as client:
        client.put("/__mock/clock", json={"speed": 0}).raise_for_status()
        client.delete("/__mock/journal").raise_for_status()
        httpx.post(f"{guarded}/v1/{way}/reset", headers={"X-Mock-Session": token["X-Mock-Session"]})
        page.goto(f"{guarded}/__mock/ui/token?next=/__mock/ui/runs")
        page.get_by_label("Token").fill(TOKEN)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{guarded}/__mock/ui/runs")
        page.goto(f"{guarded}/__mock/ui/journal?session={token['X-Mock-Session']}")
        page.locator(".entry > summary").click()

        replay = page.get_by_role("button", name="Replay")
        assert replay.is_disabled()
        replay.evaluate("one => { one.disabled = false; one.click() }")
        page.get_by_text("No response: a browser would send another request").wait_for()
        assert client.get("/__mock/clock").json()["mode"] == "frozen"


@pytest.mark.parametrize("path", ["/", "/__mock/ui/token?next=/__mock/ui/runs"])
def test_who_has_no_token_learns_of_no_session(guarded, path):
    headers = {"X-Mock-Token": TOKEN, "X-Mock-Session": "not-for-all"}
    httpx.put(f"{guarded}/__mock/clock", json={"speed": 2}, headers=headers).raise_for_status()

    shown = httpx.get(f"{guarded}{path}", headers={"Accept": "text/html"})
    assert "<html" in shown.text
    assert "not-for-all" not in shown.text


@pytest.mark.parametrize("following", ["https://evil.example/", "//evil.example/__mock/ui/runs"])
def test_the_token_page_leads_to_our_own_pages_only(guarded, open_page, following):
    page = open_page(viewport=PHONE, color_scheme="dark")
    page.goto(f"{guarded}/__mock/ui/token?next={following}")
    assert grave_findings(page) == []
    page.get_by_label("Token").fill(TOKEN)
    page.keyboard.press("Enter")

    page.wait_for_url(f"{guarded}/__mock/ui/control")
