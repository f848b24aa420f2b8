"""CORS: a page of another origin may call the mock."""

import pytest

from deadringer.mockserver import Settings
from deadringer.mockserver.app import build_app
from tests.mockserver.conftest import KNOWN

PAGE = "http://localhost:5173"
ORIGIN = {"Origin": PAGE}
PREFLIGHT = {
    **ORIGIN,
    "Access-Control-Request-Method": "GET",
    "Access-Control-Request-Headers": "x-api-key, prefer",
}
RATE_HEADERS = {"ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"}


def words(header: str) -> set[str]:
    return {word.strip().lower() for word in header.split(",")}


def allows_credentials_of(response, origin: str) -> bool:
    """Whether a browser lets a page of the origin read the response of a call with credentials."""
    return (
        response.headers.get("access-control-allow-origin") == origin
        and response.headers.get("access-control-allow-credentials") == "true"
        and "origin" in words(response.headers.get("vary", ""))
    )


def cors_headers(response) -> dict[str, str]:
    return {
        name: value
        for name, value in response.headers.items()
        if name.lower().startswith("access-control-")
    }


def test_a_preflight_needs_no_key_and_allows_the_key_header(keyless):
    response = keyless.options(KNOWN, headers=PREFLIGHT)

    assert response.status_code == 204
    assert allows_credentials_of(response, PAGE)
    assert words(response.headers["access-control-allow-headers"]) >= {"x-api-key", "prefer"}
    assert "get" in words(response.headers["access-control-allow-methods"])


def test_every_answer_may_be_read_and_shows_its_headers(client, keyless):
    responses = [
        client.get(KNOWN, headers=ORIGIN),
        keyless.get(KNOWN, headers=ORIGIN),
        client.get("/v1/none", headers=ORIGIN),
        client.post(KNOWN, headers=ORIGIN),
        client.get(KNOWN, headers={**ORIGIN, "Prefer": "code=500"}),
    ]

    assert [response.status_code for response in responses] == [200, 401, 404, 405, 500]
    for response in responses:
        assert allows_credentials_of(response, PAGE)
        exposed = words(response.headers["access-control-expose-headers"])
        assert exposed >= RATE_HEADERS | {"retry-after", "etag"}


def test_options_lists_the_methods_without_a_body_and_is_not_counted(keyless):
    response = keyless.options(KNOWN)

    assert response.status_code == 204
    assert response.content == b""
    assert words(response.headers["allow"]) == {"get", "head", "options"}
    assert RATE_HEADERS.isdisjoint(response.headers)


def test_options_tells_nothing_about_the_existence_of_a_run(keyless):
    known, unknown = keyless.options(KNOWN), keyless.options("/v1/workflows/a/executions/b")

    assert known.status_code == unknown.status_code
    assert known.headers["allow"] == unknown.headers["allow"]


def test_each_origin_is_named_also_by_cached_responses(client):
    origins = ["http://localhost:3000", "http://localhost:5173", "https://app.example.test", "null"]

    for _ in range(3):
        for origin in origins:
            assert allows_credentials_of(client.get(KNOWN, headers={"Origin": origin}), origin)
        assert cors_headers(client.get(KNOWN)) == {}


def test_a_preflight_from_a_public_site_may_ask_for_the_private_network(keyless):
    asking = {**PREFLIGHT, "Access-Control-Request-Private-Network": "true"}

    asked, usual = keyless.options(KNOWN, headers=asking), keyless.options(KNOWN, headers=PREFLIGHT)

    assert asked.headers["access-control-allow-private-network"] == "true"
    assert "access-control-allow-private-network" not in usual.headers


@pytest.mark.parametrize("path", ["/", "/openapi.json", "/v1x"])
def test_other_paths_are_shared_without_credentials(client, path):
    response = client.get(path, headers=ORIGIN)

    assert response.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in response.headers


def test_wildcard_shares_the_api_without_credentials(over_http):
    mock = over_http(build_app(Settings(cors="wildcard")))

    for response in [
        *(mock.get(KNOWN, headers=ORIGIN) for _ in range(3)),
        mock.options(KNOWN, headers=PREFLIGHT),
    ]:
        assert response.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in response.headers


def test_off_shares_nothing(over_http):
    mock = over_http(build_app(Settings(cors="off")))

    for path in (KNOWN, "/openapi.json", "/v1/none"):
        assert cors_headers(mock.get(path, headers=ORIGIN)) == {}
        assert cors_headers(mock.options(path, headers=PREFLIGHT)) == {}


@pytest.mark.parametrize("mode", ["reflect", "wildcard", "off"])
@pytest.mark.parametrize("path", ["/__mock/runs", "/__mock/faults", "/__mock/ui/"])
def test_no_mode_opens_the_control_api_to_other_sites(over_http, mode, path):
    mock = over_http(build_app(Settings(cors=mode)))
    origin = {"Origin": "https://other.example"}
    asking = {**PREFLIGHT, **origin, "Access-Control-Request-Private-Network": "true"}

    read, preflight = mock.get(path, headers=origin), mock.options(path, headers=asking)

    assert read.status_code == 403
    assert cors_headers(read) == cors_headers(preflight) == {}
