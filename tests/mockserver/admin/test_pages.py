"""The pages that require no key."""

import json

import pytest
import yaml

from deadringer.contracts import bundle_specification, operations
from deadringer.fixtures import load_recordings
from deadringer.mockserver import Settings, create_app
from deadringer.mockserver.api.views import VIEWS
from tests.mockserver.conftest import DEMO_KEY


def test_the_specification_is_given_in_both_forms(keyless):
    as_json, as_yaml = keyless.get("/openapi.json"), keyless.get("/openapi.yaml")

    assert as_json.headers["content-type"] == "application/json"
    document, bundle = as_json.json(), json.loads(json.dumps(bundle_specification()))
    assert {**document, "servers": ()} == {**bundle, "servers": ()}
    assert as_yaml.headers["content-type"].startswith("application/yaml")
    assert yaml.safe_load(as_yaml.text) == as_json.json()


def first_server(response) -> str:
    first, real = response.json()["servers"]
    assert real["url"] == "https://api.trigify.io"
    return first["url"]


def test_the_first_server_of_the_specification_is_the_address_that_serves_it(keyless):
    assert first_server(keyless.get("/openapi.json")) == str(keyless.base_url).rstrip("/")

    for host in ("mock.test:8080", "mock", "[::1]:4010", "10.0.0.7:4010"):
        response = keyless.get("/openapi.json", headers={"Host": host})
        assert first_server(response) == f"http://{host}"


@pytest.mark.parametrize(
    "host", ["", "a b", "x/../y", "user@mock.test", 'mock"<script>', "a" * 300]
)
def test_a_host_header_that_is_no_host_is_not_repeated(host):
    environ = {"HTTP_HOST": host}

    response = (
        create_app(Settings(port=4321))
        .test_client()
        .get("/openapi.json", environ_overrides=environ)
    )

    if response.status_code == 200:
        assert first_server(Wrapped(response)) == "http://127.0.0.1:4321"
    else:
        assert response.status_code == 400


def test_scheme_and_prefix_are_those_of_the_request():
    app = create_app()

    response = app.test_client().get(
        "/openapi.json", base_url="https://mock.test/team a", environ_overrides={}
    )

    assert first_server(Wrapped(response)) == "https://mock.test/team%20a"


class Wrapped:
    """A response of Flask's test client, read as one of httpx."""

    def __init__(self, response) -> None:
        self.json = response.get_json


def test_every_reference_of_the_given_specification_is_local(keyless):
    text = keyless.get("/openapi.json").text

    assert text.count('"$ref": "#/') == text.count('"$ref":') > 0


@pytest.mark.parametrize(
    "accept", ["text/html", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"]
)
def test_a_browser_gets_a_page_that_links_the_specification(keyless, accept):
    response = keyless.get("/", headers={"Accept": accept})

    assert response.headers["content-type"].startswith("text/html")
    assert "Accept" in response.headers["vary"].split(", ")
    assert 'href="/openapi.json"' in response.text
    assert all(recording.name in response.text for recording in load_recordings())


@pytest.mark.parametrize("accept", ["*/*", "application/json", "image/png", "text/html;q=0.5, */*"])
def test_a_client_gets_json_whose_paths_can_be_read(keyless, client, accept):
    response = keyless.get("/", headers={"Accept": accept})

    listed = response.json()
    assert listed["specification"] == "/openapi.json"
    assert [run["name"] for run in listed["runs"]] == [item.name for item in load_recordings()]
    for run in listed["runs"]:
        detail = client.get(run["path"]).json()["data"]
        assert detail["status"] == run["status"]


def test_no_page_tells_the_key(keyless):
    for path in ("/", "/openapi.json"):
        assert DEMO_KEY not in keyless.get(path).text


def test_every_operation_has_a_view_and_no_view_lacks_an_operation():
    assert {operation.operation_id for operation in operations()} == set(VIEWS)
