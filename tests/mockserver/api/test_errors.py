"""Every error has the same shape."""

import json
import socket
from contextlib import closing

import pytest

from deadringer.contracts import bundle_specification, operations, validate
from deadringer.mockserver import Settings, create_app
from deadringer.mockserver.app import build_app
from deadringer.mockserver.server.plain import PlainProtocol
from deadringer.mockserver.server.protocol import CachingProtocol
from tests.mockserver.conftest import DEMO, DEMO_KEY, KNOWN
from tests.mockserver.server.raw import KEY, ResponseReader
from tests.mockserver.server.serving import served

ERROR_MEMBERS = ["code", "message", "details", "suggestion"]

ERROR_ROUTES = [
    ("GET", KNOWN, {"x-api-key": ""}, 401),
    ("GET", KNOWN, {"x-api-key": "wrong"}, 401),
    ("GET", "/v1/workflows/none/executions/run_x7k9m2", {}, 404),
    ("GET", "/v1/workflows/wf_abc123/executions/none", {}, 404),
    ("GET", "/v1/none", {}, 404),
    ("GET", f"{KNOWN}/", {}, 404),
    ("GET", "/none", {}, 404),
    ("GET", "/favicon.ico", {}, 404),
    ("OPTIONS", "/none", {}, 404),
    ("POST", KNOWN, {}, 405),
    ("PUT", KNOWN, {}, 405),
    ("PATCH", KNOWN, {}, 405),
    ("DELETE", KNOWN, {}, 405),
    ("TRACE", KNOWN, {}, 405),
    ("BREW", KNOWN, {}, 405),
    ("POST", "/", {}, 405),
    ("DELETE", "/openapi.json", {}, 405),
    ("GET", KNOWN, {"Prefer": "code=299"}, 400),
    ("GET", KNOWN, {"Prefer": "code=400"}, 400),
    ("GET", KNOWN, {"Prefer": "code=401"}, 401),
    ("GET", KNOWN, {"Prefer": "code=403"}, 403),
    ("GET", KNOWN, {"Prefer": "code=404"}, 404),
    ("GET", KNOWN, {"Prefer": "code=429"}, 429),
    ("GET", KNOWN, {"Prefer": "code=500"}, 500),
    ("GET", KNOWN, {"Prefer": "code=503"}, 503),
]


@pytest.mark.parametrize(("method", "path", "headers", "status"), ERROR_ROUTES)
def test_every_error_has_the_documented_shape(client, method, path, headers, status):
    response = client.request(method, path, headers=headers)

    body = response.json()
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    assert list(body) == ["success", "error"]
    assert body["success"] is False
    assert [name for name in body["error"] if name != "retryAfterSeconds"] == ERROR_MEMBERS
    assert body["error"]["message"]
    assert body["error"]["suggestion"]
    assert list(validate(body, "error", strict=True)) == []


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"])
def test_another_method_is_405_and_the_allowed_ones_are_named(client, method):
    response = client.request(method, KNOWN)

    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD, OPTIONS"


def test_every_documented_status_is_produced_and_keeps_its_schema(client):
    (operation,) = (item for item in operations() if item.operation_id == "getExecution")
    documented = operation.described["responses"]

    for status in documented:
        response = client.get(KNOWN, headers={"Prefer": f"code={status}"})
        schema = {"200": "execution_envelope", "401": "error_unauthorized"}.get(status, "error")
        assert response.status_code == int(status)
        assert list(validate(response.json(), schema)) == []
        for header in ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"):
            assert response.headers[header].isdecimal()


EDGE_CASE_IDS = {
    "empty": "",
    "a dot": ".",
    "two dots": "..",
    "encoded dots": "%2e%2e",
    "a slash": "a%2Fb",
    "a NUL": "%00",
    "a line break": "%0D%0Ax",
    "a space": "%20",
    "a percent sign": "%25",
    "an invalid escape": "%zz",
    "half an escape": "%",
    "not UTF-8": "%FF%FE",
    "another script": "%E6%97%A5%E6%9C%AC",
    "an emoji": "%F0%9F%98%80",
    "half a surrogate pair": "%ED%A0%BD",
    "raw UTF-8": "ä",
    "a semicolon": "run;v=1",
    "SQL": "'%20OR%201=1--",
    "HTML": "%3Cscript%3E",
    "long": "x" * 10_000,
    "long and encoded": "%F0%9F%98%80" * 2_500,
}


@pytest.mark.parametrize("run_id", EDGE_CASE_IDS.values(), ids=EDGE_CASE_IDS)
@pytest.mark.parametrize(
    "template", ["/v1/workflows/{}/executions/run_x7k9m2", "/v1/workflows/wf_abc123/executions/{}"]
)
def test_an_odd_id_gets_a_json_4xx(server, template, run_id):
    status, headers, body = raw_request(server, f"GET {template.format(run_id)} HTTP/1.1")

    assert 400 <= status < 500
    assert "content-type: application/json" in headers
    assert list(validate(json.loads(body), "error")) == []
    assert len(body) < 2_000


@pytest.mark.parametrize(
    "path",
    [
        "/v1//workflows",
        "/v1/workflows//executions//",
        "/./v1",
        f"/{KNOWN}//",
        "/v1/..",
    ],
)
def test_an_odd_path_is_never_redirected_or_answered_in_html(server, path):
    status, headers, body = raw_request(server, f"GET {path} HTTP/1.1")

    assert status == 404
    assert "content-type: application/json" in headers
    assert list(validate(json.loads(body), "error")) == []


def test_a_key_inside_a_path_is_not_echoed(client):
    for path in (f"/{DEMO_KEY}", f"/v1/workflows/{DEMO_KEY}/executions/{DEMO_KEY}"):
        assert DEMO_KEY not in client.get(path).text


def test_a_crash_is_a_json_500_without_a_traceback():
    app = create_app()
    app.add_url_rule("/v1/crash", "crash", lambda: {}["the missing one"])

    response = app.test_client().get("/v1/crash", headers=DEMO)

    assert response.status_code == 500
    assert response.json["error"]["code"] == "INTERNAL_ERROR"
    assert list(validate(response.json, "error", strict=True)) == []
    assert "missing" not in response.text


def raw_request(server, line: str) -> tuple[int, str, bytes]:
    """Send any request line; return status, headers and body."""
    address = server.url.removeprefix("http://").split(":")
    request = f"{line}\r\nHost: mock\r\nx-api-key: {DEMO['x-api-key']}\r\nConnection: close\r\n\r\n"
    with socket.create_connection((address[0], int(address[1])), timeout=10) as connection:
        connection.sendall(request.encode())
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), head.decode("latin-1").lower(), body


@pytest.mark.parametrize("prefer", ["code=503", "fault=error-503"])
def test_an_unavailable_service_says_when_to_retry(client, prefer):
    response = client.get(KNOWN, headers={"Prefer": prefer})

    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert response.json()["error"]["code"] == "API_OFF"


def test_every_operation_documents_503_with_retry_after():
    for operation in operations():
        reference = operation.described["responses"]["503"]["$ref"]
        described = bundle_specification()["components"]["responses"][reference.split("/")[-1]]

        assert "Retry-After" in described["headers"], operation.operation_id


@pytest.mark.parametrize("protocol", [CachingProtocol, PlainProtocol])
@pytest.mark.parametrize("path", ["/v1/workflows", "/openapi.json", "/__mock/state"])
def test_a_method_in_small_letters_is_unknown_like_any_other(protocol, path):
    app = build_app(Settings())
    with (
        served(app, protocol=protocol) as server,
        server.connect() as connection,
        closing(ResponseReader(connection)) as responses,
    ):
        for method in ("get", "BREW", "Get"):
            connection.sendall(f"{method} {path} HTTP/1.1\r\n{KEY}\r\n".encode())
            status, headers, body = responses.next()

            assert status == 405
            assert "get" in headers["allow"]
            assert json.loads(body)["error"]["message"] == f"{method} is not known here"
