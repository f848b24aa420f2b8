"""Any documented status on demand, by the Prefer header."""

import pytest
from conftest import KNOWN

from contracts import operations
from mockserver.preferences import parse_preferences

(GET_EXECUTION,) = (item for item in operations() if item.operation_id == "getExecution")
DOCUMENTED = sorted(GET_EXECUTION.described["responses"])
ERRORS = [status for status in DOCUMENTED if status != "200"]


@pytest.mark.parametrize("status", ERRORS)
def test_a_preferred_error_is_answered_with_a_documented_code(client, status):
    response = client.get(KNOWN, headers={"Prefer": f"code={status}"})

    content = GET_EXECUTION.described["responses"][status]
    assert response.status_code == int(status)
    assert response.headers["Preference-Applied"] == f"code={status}"
    assert response.json()["error"]["code"] in str(resolved(content))


def test_a_preferred_429_tells_how_long_to_wait(client):
    response = client.get(KNOWN, headers={"Prefer": "code=429"})

    assert response.headers["Retry-After"] == response.headers["RateLimit-Reset"]
    assert response.json()["error"]["retryAfterSeconds"] == int(response.headers["Retry-After"])


def test_a_preferred_200_is_the_ordinary_answer(client):
    plain, preferred = client.get(KNOWN), client.get(KNOWN, headers={"Prefer": "code=200"})

    assert preferred.content == plain.content


@pytest.mark.parametrize("value", ["299", "abc", "", "-1", "4040", "9" * 5_000])
def test_an_impossible_status_is_400_and_the_documented_ones_are_named(client, value):
    response = client.get(KNOWN, headers={"Prefer": f"code={value}"})

    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (400, "VALIDATION_ERROR")
    assert error["details"]["errors"] == [
        f"Prefer: code={value[:40]} is not a documented status; use one of: {', '.join(DOCUMENTED)}"
    ]
    assert "Preference-Applied" not in response.headers


def test_preferences_we_do_not_know_are_ignored(client):
    response = client.get(KNOWN, headers={"Prefer": "respond-async, wait=10, return=minimal"})

    assert response.status_code == 200


def test_a_preference_does_not_open_the_door(keyless):
    assert keyless.get(KNOWN, headers={"Prefer": "code=404"}).status_code == 401


@pytest.mark.parametrize(
    ("header", "preferences"),
    [
        ("", {}),
        ("code=404", {"code": "404"}),
        ('CODE="404"', {"code": "404"}),
        (" code = 404 ; why=x , wait=10", {"code": "404", "wait": "10"}),
        ("respond-async,code=500", {"respond-async": "", "code": "500"}),
        ("code=404, code=500", {"code": "404"}),
        ('note="a, \\"b\\"; code=500", code=404', {"note": 'a, "b"; code=500', "code": "404"}),
        (",,=,;", {}),
    ],
)
def test_the_header_is_read_as_rfc_7240_says(header, preferences):
    assert parse_preferences(header) == preferences


def resolved(node):
    """The response object behind a local reference of the bundled specification."""
    from contracts import bundle_specification

    if "$ref" not in node:
        return node
    found = bundle_specification()
    for name in node["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return found
