"""CORS: a page of another origin may call the mock."""

from tests.mockserver.conftest import KNOWN

ORIGIN = {"Origin": "http://localhost:5173"}
RATE_HEADERS = {"ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"}


def words(header: str) -> set[str]:
    return {word.strip().lower() for word in header.split(",")}


def test_a_preflight_needs_no_key_and_allows_the_key_header(keyless):
    response = keyless.options(
        KNOWN,
        headers={
            **ORIGIN,
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "x-api-key, prefer",
        },
    )

    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == "*"
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
        assert response.headers["access-control-allow-origin"] == "*"
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
