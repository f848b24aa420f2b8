"""Authentication: valid keys, and nothing is disclosed without one."""

import http.client

import httpx
import pytest

from deadringer.contracts import validate
from deadringer.mockserver import DEMO_KEY
from tests.mockserver.conftest import DEMO, KNOWN


@pytest.mark.parametrize(
    "headers",
    [
        {"x-api-key": DEMO_KEY},
        {"X-API-KEY": DEMO_KEY},
        {"Authorization": f"Bearer {DEMO_KEY}"},
        {"Authorization": f"bearer  {DEMO_KEY}"},
        {"x-api-key": "", "Authorization": f"Bearer {DEMO_KEY}"},
    ],
)
def test_a_known_key_is_let_in(keyless, headers):
    assert keyless.get(KNOWN, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-api-key": ""},
        {"Authorization": "Bearer"},
        {"Authorization": f"Basic {DEMO_KEY}"},
        {"Authorization": DEMO_KEY},
    ],
)
def test_no_key_is_auth_required(keyless, headers):
    response = keyless.get(KNOWN, headers=headers)

    assert (response.status_code, response.json()["error"]["code"]) == (401, "AUTH_REQUIRED")


@pytest.mark.parametrize(
    "headers",
    [
        {"x-api-key": "trig_wrong_key_0123456789abcdef"},
        {"x-api-key": DEMO_KEY[:-1]},
        {"x-api-key": f"{DEMO_KEY}x"},
        {"x-api-key": DEMO_KEY.upper()},
        {"x-api-key": "k" * 10_000},
        {"x-api-key": "wrong", "Authorization": f"Bearer {DEMO_KEY}"},
        {"Authorization": "Bearer wrong"},
    ],
)
def test_a_wrong_key_is_invalid_api_key_and_is_not_echoed(keyless, headers):
    response = keyless.get(KNOWN, headers=headers)

    assert (response.status_code, response.json()["error"]["code"]) == (401, "INVALID_API_KEY")
    assert next(iter(headers.values())) not in response.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1"),
        ("GET", "/v1/"),
        ("GET", "/v1/nothing/here"),
        ("GET", "/v1/workflows/nope/executions/nope"),
        ("POST", KNOWN),
        ("BREW", "/v1/nothing/here"),
    ],
)
@pytest.mark.parametrize("headers", [{}, {"x-api-key": "wrong"}])
def test_without_a_valid_key_nothing_is_told_about_existence(keyless, method, path, headers):
    known = keyless.get(KNOWN, headers=headers)

    response = keyless.request(method, path, headers=headers)

    assert response.status_code == 401
    assert response.content == known.content
    assert "allow" not in response.headers


def test_slashes_before_the_path_do_not_open_the_door(server):
    for path in (f"/{KNOWN}", "//v1/none", "///v1"):
        assert httpx.get(server.url + path).status_code == 401


def test_a_key_in_the_query_lets_nobody_in(keyless):
    assert keyless.get(KNOWN, params={"x-api-key": DEMO_KEY}).status_code == 401


def test_a_key_that_is_not_ascii_is_refused_in_json(server):
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
    connection.putrequest("GET", KNOWN)
    connection.putheader("x-api-key", "schlüssel".encode())
    connection.endheaders()
    response = connection.getresponse()
    body = response.read()
    connection.close()

    assert response.status == 401
    assert b'"success": false' in body


def test_own_keys_replace_the_demo_key_and_are_not_printed(start_server):
    own = start_server("--api-key", "first-secret-key", "--api-key", "second-secret-key")

    statuses = {
        key: httpx.get(own.url + KNOWN, headers={"x-api-key": key}).status_code
        for key in ("first-secret-key", "second-secret-key", DEMO_KEY)
    }

    assert statuses == {"first-secret-key": 200, "second-secret-key": 200, DEMO_KEY: 401}
    assert "secret" not in own.banner + own.log
    assert DEMO_KEY not in own.banner


def test_a_401_keeps_the_contract(keyless):
    for headers in ({}, {"x-api-key": "wrong"}):
        body = keyless.get(KNOWN, headers=headers).json()
        assert list(validate(body, "error_unauthorized")) == []


def test_no_key_is_needed_outside_the_api(keyless):
    for path in ("/", "/openapi.json", "/openapi.yaml"):
        assert keyless.get(path).status_code == 200
        assert keyless.get(path, headers={"x-api-key": "wrong"}).status_code == 200
        assert keyless.get(path, headers=DEMO).status_code == 200
