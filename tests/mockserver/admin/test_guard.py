"""Access to the control API: for this machine and with the token, not for pages of other sites."""

import pytest

from deadringer.mockserver import Settings
from deadringer.mockserver.admin.control import binds_wide
from deadringer.mockserver.app import build_app

OTHER_SITE = "https://evil.example"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
STATE, RESET, FAULTS = "/__mock/state", "/__mock/reset", "/__mock/faults"


@pytest.fixture
def mock(over_http):
    return over_http(build_app(Settings()))


@pytest.fixture
def guarded(over_http):
    return over_http(build_app(Settings(control_token="let me in")))


def own_origin(client) -> str:
    return str(client.base_url).rstrip("/")


def test_a_program_steers_without_saying_where_it_comes_from(mock):
    as_curl = mock.post(FAULTS, content=b'{"kind": "drip"}', headers=FORM)

    assert as_curl.status_code == 201
    assert mock.post(RESET).status_code == 200


def test_the_fetch_of_node_is_a_program(mock):
    """Node sends `Sec-Fetch-Mode` without `Sec-Fetch-Site`; a browser sends both or neither."""
    as_node = {"Sec-Fetch-Mode": "cors", "Accept-Language": "*", "User-Agent": "node"}

    assert mock.post(FAULTS, json={"kind": "drip"}, headers=as_node).status_code == 201
    assert mock.get(STATE, headers=as_node).status_code == 200
    assert mock.post(RESET, headers=as_node).status_code == 200


@pytest.mark.parametrize(
    "origin", ["http://localhost:5173", "http://app.localhost:3000", "https://127.0.0.1:8443"]
)
def test_a_page_of_this_machine_steers_from_any_port(mock, origin):
    simple = mock.post(RESET, headers={"Origin": origin, "Sec-Fetch-Site": "cross-site"})
    requested = mock.options(STATE, headers={"Origin": origin})

    assert simple.status_code == 200
    assert simple.headers["access-control-allow-origin"] == origin
    assert requested.headers["access-control-allow-origin"] == origin
    assert "X-Mock-Session" in requested.headers["access-control-allow-headers"]


def test_our_own_pages_steer(mock):
    message = {"Origin": own_origin(mock), "Sec-Fetch-Site": "same-origin"}

    assert mock.post(RESET, headers=message).status_code == 200
    assert mock.get(STATE, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


@pytest.mark.parametrize(
    "message",
    [
        {"Origin": OTHER_SITE},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://[broken"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_site_neither_reads_nor_writes(mock, message):
    responses = [
        mock.get(STATE, headers=message),
        mock.post(RESET, headers={**message, **FORM}),
        mock.post(FAULTS, json={"kind": "drip"}, headers=message),
    ]

    assert [response.status_code for response in responses] == [403, 403, 403]
    assert all("access-control-allow-origin" not in response.headers for response in responses)
    assert mock.get(STATE).json()["faults"] == []


def test_a_link_on_another_site_may_be_followed_but_a_form_may_not_be_sent(mock):
    message = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    message["Sec-Fetch-Dest"] = "document"

    assert mock.get(STATE, headers=message).status_code == 200
    assert mock.post(RESET, headers={**message, **FORM}).status_code == 403


def test_an_old_browser_that_sends_no_origin_needs_json_or_a_header_of_ours(mock):
    page = {"Referer": f"{OTHER_SITE}/page"}

    assert mock.post(RESET, headers={**page, **FORM}).status_code == 403
    assert mock.post(RESET, json={}, headers=page).status_code == 200
    assert mock.post(RESET, headers={**page, "X-Mock-Request": "page"}).status_code == 200


@pytest.mark.parametrize(
    ("host", "bound", "status"),
    [
        ("localhost:4010", "127.0.0.1", 200),
        ("mock.localhost", "127.0.0.1", 200),
        ("[::1]:4010", "127.0.0.1", 200),
        ("rebound.example:4010", "127.0.0.1", 403),
        ("mock", "127.0.0.1", 403),
        ("192.168.1.9:4010", "127.0.0.1", 403),
        ("allowed.example.:4010", "127.0.0.1", 200),
        ("192.168.1.9:4010", "0.0.0.0", 200),
        ("mock:4010", "0.0.0.0", 200),
        ("host.docker.internal:4010", "0.0.0.0", 200),
        ("rebound.example:4010", "0.0.0.0", 403),
    ],
)
def test_a_name_that_another_site_can_lead_here_is_refused(over_http, host, bound, status):
    mock = over_http(build_app(Settings(host=bound, allowed_hosts=("Allowed.example",))))

    response = mock.get(STATE, headers={"Host": host})

    assert response.status_code == status
    assert status == 200 or "--allow-host" in response.json()["error"]["suggestion"]


def test_the_token_opens_for_every_name_and_every_site(guarded):
    token = {"X-Mock-Token": "let me in"}
    elsewhere = {"Host": "mock.example", "Origin": OTHER_SITE}

    response = guarded.post(RESET, headers={**token, **elsewhere})

    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == OTHER_SITE
    assert guarded.post(RESET, headers={"X-Mock-Token": "let me i"}).status_code == 401
    assert guarded.get(STATE, headers={"X-Mock-Token": b"l\xe4t"}).status_code == 401


@pytest.mark.parametrize(
    ("path", "following"),
    [
        ("/__mock/ui/runs?workflow=wf_abc123&text=a%26b", None),
        ("/__mock/ui/runs/a%3Fb/c%20d?session=x", None),
        ("/__mock/ui/runs", None),
        ("/__mock/ui/token?next=/a", "/__mock/ui/control"),
    ],
)
def test_a_browser_without_the_token_is_asked_and_led_back(guarded, path, following):
    requested = guarded.get(path, headers={"Sec-Fetch-Mode": "navigate"})
    form = requested.headers.get("Location", path)
    led = guarded.post(form, data={"token": "let me in"}, headers={"Sec-Fetch-Site": "same-origin"})

    assert requested.status_code == (200 if following else 303)
    assert (led.status_code, led.headers["Location"]) == (303, following or path)


def test_a_client_that_does_not_say_what_it_asks_for_is_taken_for_a_browser(guarded):
    assert guarded.get("/__mock/ui/runs").status_code == 303


@pytest.mark.parametrize("mode", ["cors", "same-origin", "no-cors"])
def test_what_a_page_fetches_by_itself_is_refused_not_led_away(guarded, mode):
    response = guarded.get("/__mock/ui/runs?fragment", headers={"Sec-Fetch-Mode": mode})

    assert response.status_code == 401
    assert "/__mock/ui/token" in response.json()["error"]["suggestion"]


@pytest.mark.parametrize("bound", ["0.0.0.0", "::", "192.168.1.9", "mock.example"])
def test_an_address_other_machines_reach_is_told_from_those_of_this_one(bound):
    assert binds_wide(bound)
    assert not any(binds_wide(near) for near in ("127.0.0.1", "localhost", "::1", "127.8.8.8"))


@pytest.mark.parametrize(
    ("options", "warns"),
    [((), False), (("--host", "0.0.0.0"), True), (("--host", "0.0.0.0", "--no-control"), False)],
)
def test_the_warning_is_printed_at_the_start(start_server, options, warns):
    server = start_server(*options)
    server.stop()

    assert ("--control-token" in server.log) is warns


def test_a_page_about_a_wrong_session_is_guarded_as_any_other(mock, guarded):
    page = "/__mock/ui/runs?session=%20"

    assert guarded.get(page).status_code == 303
    assert mock.get(page, headers={"Host": "evil.example"}).status_code == 403
    assert mock.options(page, headers={"Origin": OTHER_SITE}).status_code == 204
    assert "Content-Type" not in mock.options(page).headers
    assert mock.get(page).status_code == 400
