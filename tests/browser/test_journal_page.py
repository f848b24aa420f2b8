"""The journal page: requests as they arrive, their details, replays; hostile ones stay text."""

import http.client
import itertools
import subprocess

import httpx
import pytest
from playwright.sync_api import expect

from deadringer.mockserver import DEMO_KEY
from tests.machine import NO_TLS

from .accessibility import grave_findings
from .conftest import DESKTOP, PHONE

pytestmark = pytest.mark.slow

PATH = "/__mock/ui/journal"
RUN = "/v1/workflows/wf_abc123/executions/run_x7k9m2"
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script> javascript:alert(3)"
_NAMES = itertools.count()


@pytest.fixture
def session() -> str:
    """A session that no other test uses."""
    return f"journal-{next(_NAMES)}"


@pytest.fixture
def api(mock, session):
    headers = {"x-api-key": DEMO_KEY, "X-Mock-Session": session}
    with httpx.Client(verify=NO_TLS, base_url=mock, headers=headers) as client:
        yield client


def opened(page, mock, session):
    page.goto(f"{mock}{PATH}?session={session}")
    return page


def entry(page, target):
    return page.locator("details.entry", has_text=target).first


def test_requests_appear_as_they_arrive_and_open_to_both_sides(mock, page, api, session):
    opened(page, mock, session).get_by_text("No requests yet").wait_for()

    api.get(RUN, headers={"Prefer": "delay=1"})
    api.get("/v1/workflows", params={"limit": "abc"})
    entry(page, RUN).locator("summary").first.click()

    expect(entry(page, RUN)).to_contain_text("exec_abc123")  # its content is added when it opens
    shown = entry(page, RUN).inner_text()
    assert "Prefer: delay=1" in shown
    assert "recorded: documented_example" in shown
    assert "client: query/limit" in entry(page, "limit=abc").inner_text()
    assert DEMO_KEY not in page.locator("#entries").inner_text()


def test_a_breach_by_a_fault_is_told_from_one_by_the_mock(mock, page, api, session):
    api.put("/__mock/contract-faults/duration-in-seconds")
    api.get(RUN)
    api.delete("/__mock/contract-faults")
    path = RUN.replace("/v1/", "/__mock/")
    api.patch(path, params={"force": "true"}, json={"status": "running"})
    api.get(RUN)
    opened(page, mock, session)

    tags = page.locator(".tag", has_text="violates ")
    tags.first.wait_for()
    kinds = {one.get_attribute("class") for one in tags.all()}
    assert kinds == {"tag bad", "tag wanted"}
    wanted = page.locator(".tag.wanted", has_text="violates duration_is_end_minus_start")
    assert wanted.count() == 1
    assert page.locator(".tag.wanted", has_text="fault duration-in-seconds").count() == 1


def test_a_replay_tells_what_differs_now(mock, page, api, session):
    api.get(RUN)
    api.put("/__mock/contract-faults/duration-in-seconds")
    opened(page, mock, session)
    page.locator(".entry > summary").click()

    page.get_by_role("button", name="Replay").click()
    page.get_by_text("Sent again: 200").wait_for()

    changes = page.locator(".changes").inner_text()
    assert "/data/duration_ms 4320 4" in changes
    numbers = [one["number"] for one in api.get("/__mock/journal").json()["entries"]]
    assert len(numbers) == 2


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/workflows/wf_abc123/test", '@/etc/hostname "it\'s" $HOME'),
        ("/v1/..%2fx/[1-2]/{a,b}", "{}"),
        ("/v1/%2e%2e/%2e", ""),
    ],
)
def test_a_copied_curl_line_sends_the_same_again(mock, open_page, api, session, path, body):
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    _sent_as_it_is(mock, path, body, session)
    opened(page, mock, session)
    page.locator(".entry > summary").click()
    page.evaluate("() => navigator.clipboard.writeText('')")
    page.get_by_role("button", name="Copy curl").click()
    page.wait_for_function("async () => (await navigator.clipboard.readText()) !== ''")
    line = page.evaluate("() => navigator.clipboard.readText()")
    subprocess.run(["bash", "-c", f"{line} -s"], capture_output=True, check=True)

    again, first = api.get("/__mock/journal").json()["entries"]
    assert DEMO_KEY in line
    for part in ("method", "target", "status"):
        assert again[part] == first[part]
    assert again["request"]["body"] == first["request"]["body"] == body
    kind = "content-type"
    assert again["request"]["headers"].get(kind) == first["request"]["headers"].get(kind)


def _sent_as_it_is(mock, path, body, session):
    """Send a path without normalization."""
    connection = http.client.HTTPConnection(mock.removeprefix("http://"))
    headers = {"x-api-key": DEMO_KEY, "X-Mock-Session": session}
    if body:
        headers["Content-Type"] = "application/json"
    connection.request("POST", path, body or None, headers)
    connection.getresponse().read()
    connection.close()


def test_it_says_that_nothing_was_asked_once_it_knows(mock, page, session):
    held = []
    page.route("**/__mock/journal?*", lambda route: held.append(route), times=1)
    with page.expect_request("**/__mock/journal?*"):
        opened(page, mock, session)
    assert not page.get_by_text("No requests yet").is_visible()

    held[0].continue_()
    page.get_by_text("No requests yet").wait_for()


def test_no_request_is_left_out_before_it_or_in_a_burst(mock, page, api, session):
    def read_often(times):
        for _ in range(times):
            api.get(RUN).raise_for_status()

    read_often(130)
    opened(page, mock, session)
    expect(page.locator("#count")).to_have_text("130 requests")
    page.get_by_role("button", name="Pause").click()
    read_often(120)
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#count")).to_have_text("250 requests")

    numbers = page.locator(".entry").evaluate_all("all => all.map(one => +one.dataset.number)")
    assert len(set(numbers)) == 250
    assert numbers == sorted(numbers, reverse=True)


def test_a_burst_is_whole_in_a_full_journal(mock, page, api, session):
    opened(page, mock, session)
    _send_often(mock, session, 1000)
    expect(page.locator("#count")).to_have_text("1000 requests")
    page.get_by_role("button", name="Pause").click()
    _send_often(mock, session, 150)
    page.get_by_role("button", name="Resume").click()
    newest = api.get("/__mock/journal", params={"limit": 1}).json()["entries"][0]["number"]
    page.locator(f".entry[data-number='{newest - 140}']").wait_for(state="attached")

    numbers = page.locator(".entry").evaluate_all("all => all.map(one => +one.dataset.number)")
    assert numbers == list(range(newest, newest - 1000, -1))


def _send_often(mock, session, times):
    connection = http.client.HTTPConnection(mock.removeprefix("http://"))
    for _ in range(times):
        connection.request("OPTIONS", "/v1/workflows", headers={"X-Mock-Session": session})
        connection.getresponse().read()
    connection.close()


def test_it_filters_pauses_and_clears(mock, page, api, session):
    api.get(RUN)
    api.get("/v1/workflows/none")
    opened(page, mock, session)
    entry(page, RUN).wait_for()

    page.get_by_label("Status").select_option("4xx")
    assert page.locator(".entry:visible").count() == 1
    page.get_by_label("Status").select_option("All")
    page.get_by_label("Path contains").fill("executions")
    assert page.locator(".entry:visible").count() == 1
    assert page.locator("#count").inner_text() == "1 of 2 requests"
    page.get_by_label("Path contains").fill("")

    page.get_by_role("button", name="Pause").click()
    api.get("/v1/credits/balance")
    page.wait_for_timeout(1200)
    assert page.locator(".entry").count() == 2
    page.get_by_role("button", name="Resume").click()
    entry(page, "/v1/credits/balance").wait_for()

    page.get_by_role("button", name="Clear").click()
    page.get_by_text("The journal is empty").wait_for()
    assert page.locator(".entry").count() == 0
    assert api.get("/__mock/journal").json()["entries"] == []


def test_hostile_requests_and_answers_stay_text(mock, page, api, session):
    put = RUN.replace("/v1/", "/__mock/")
    api.patch(put, params={"force": "true"}, json={"error": HOSTILE, HOSTILE: [HOSTILE]})
    api.get(RUN, headers={"X-Hostile": HOSTILE, "User-Agent": HOSTILE})
    api.get(f"/v1/{HOSTILE}")
    api.post("/v1/workflows/wf_abc123/test", content=HOSTILE)
    opened(page, mock, session)
    entry(page, "executions").wait_for()

    for one in page.locator(".entry > summary").all():
        one.click()
    for one in page.locator(".side details > summary").all():
        one.click()
    page.locator(".entry", has_text="executions").get_by_role("button", name="Replay").click()
    page.get_by_text("Sent again: 200").wait_for()

    assert HOSTILE in page.locator("#entries").inner_text()
    assert page.locator("#entries img, #entries script").count() == 0
    assert page.locator("#entries [href^=javascript]").count() == 0


def test_it_is_used_by_keyboard(mock, page, api, session):
    api.get(RUN)
    opened(page, mock, session)
    entry(page, RUN).wait_for()

    page.get_by_label("Key for replays").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Replay").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    page.get_by_text("Sent again: 200").wait_for()


@pytest.mark.parametrize(("scheme", "size"), [("light", DESKTOP), ("dark", PHONE)])
def test_it_is_accessible_everywhere(mock, open_page, api, session, scheme, size):
    api.get(RUN)
    api.get("/v1/workflows/none", headers={"Prefer": "delay=1"})
    page = opened(open_page(viewport=size, color_scheme=scheme), mock, session)
    entry(page, RUN).locator("summary").first.click()

    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert grave_findings(page) == []
