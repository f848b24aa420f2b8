"""Error messages of `deadringer view`."""

import json

import pytest
from click.testing import CliRunner

from deadringer.mockserver.admin.viewer import read_execution
from deadringer.mockserver.admin.viewer.load import FOLLOWED_EVERY_S
from deadringer.mockserver.cli import main

ERROR = {"success": False, "error": {"code": "NOT_FOUND", "message": "gone"}}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"{", "-:1:2: not JSON"),
        (b"\xff", "not UTF-8 at byte 0"),
        (b"[]", "an array of 0 documents"),
        (b"5", "not an object"),
        (b"[" * 100_000, "nested too deeply"),
        (json.dumps(ERROR).encode(), "an error response (NOT_FOUND gone)"),
        (b'{"success": true, "data": {"executions": []}}', "a page of the list"),
        (b'{"log": {}}', "a HAR recording"),
        (b'{"a": 1}', "an object with a"),
        (b'{"steps": [], "run_id": NaN}', "NaN is not a JSON number"),
        (b'{"steps": [], "run_id": -Infinity}', "-Infinity is not a JSON number"),
        (b'{"\\ud800\\u001b[2J": 1}', r"an object with \ud800\x1b[2J"),
    ],
    ids=range(12),
)
def test_what_is_no_execution_is_named(document, message):
    done = CliRunner().invoke(main, ["view", "-"], input=document)

    assert done.exit_code == 2
    assert message in done.output


def test_a_missing_file_is_named(tmp_path):
    done = CliRunner().invoke(main, ["view", str(tmp_path / "none.json")])

    assert done.exit_code == 2
    assert "none.json: No such file" in done.output


@pytest.mark.parametrize(
    ("path", "key", "message"),
    [
        ("/v1/workflows/wf_abc123/executions/run_x7k9m2", None, "returned 401"),
        ("/v1/workflows/wf_abc123/executions/none", "demo", "returned 404 (NOT_FOUND"),
        ("/__mock/ui/", None, "redirects to"),
        ("/openapi.yaml", None, "not JSON"),
    ],
)
def test_a_server_that_gives_no_execution_is_told(server, client, path, key, message):
    options = ["--api-key", client.headers["x-api-key"]] if key else []
    done = CliRunner().invoke(main, ["view", server.url + path, *options], env={})

    assert done.exit_code == 2
    assert message in done.output


def test_a_server_that_is_not_there_is_told():
    done = CliRunner().invoke(main, ["view", "http://127.0.0.1:9/run"])

    assert done.exit_code == 2
    assert "http://127.0.0.1:9/run is unreachable: connection refused" in done.output


def test_a_run_that_goes_on_is_read_again_but_not_too_often(server, client):
    session = {"X-Mock-Session": "followed"}
    workflow = "wf_abc123"
    made = client.post(
        f"/__mock/workflows/{workflow}/runs", json={"drive": "manual"}, headers=session
    ).json()
    seconds = [0.0]
    key = f"{client.headers['x-api-key']}__session_followed"
    viewed = read_execution(server.url + made["path"], key, lambda: seconds[0])
    assert viewed.execution["status"] == "running"
    assert viewed.workflow["id"] == workflow
    advance = made["path"].replace("/v1/", "/__mock/") + "/advance"
    client.post(advance, json={"transitions": 99}, headers=session).raise_for_status()

    viewed.renew()
    assert viewed.execution["status"] == "running"
    seconds[0] = FOLLOWED_EVERY_S
    viewed.renew()
    assert viewed.execution["status"] == "completed"
