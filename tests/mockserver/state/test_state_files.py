"""A state file is one server's, and one that is damaged is reported and left alone."""

import json
import shutil
import signal
import sqlite3
import subprocess
from base64 import b64encode
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from deadringer.mockserver import Settings
from deadringer.mockserver.app import EXTENSION, JOURNAL, build_app
from deadringer.mockserver.exceptions import StartError
from deadringer.mockserver.world.documents import load_executions
from deadringer.mockserver.world.service import Service
from tests.mockserver.conftest import (
    _COMPLETED,
    DEMO,
    SettableClock,
    clean_environment,
    serve_command,
)


def start_second(path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        serve_command("--port", "0", "--state", str(path), *options),
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_state_file_is_one_servers(start_server, tmp_path):
    state = tmp_path / "state.sqlite"
    first = start_server("--state", str(state))
    second = start_second(state)
    assert first.stop() == 0
    third = start_server("--state", str(state))

    assert (second.returncode, second.stdout) == (2, "")
    assert second.stderr == (
        f"deadringer: State file {state} is locked by another deadringer server. "
        "Stop it or choose another --state file.\n"
    )
    assert httpx.get(f"{third.url}/__mock/state").is_success


def test_after_a_stop_all_is_in_the_file(start_server, tmp_path):
    first = start_server("--state", str(tmp_path / "state.sqlite"))
    assert httpx.post(f"{first.url}/__mock/workflows/wf_abc123/runs", json={}).is_success
    assert first.stop() == 0
    assert [path.name for path in tmp_path.iterdir()] == ["state.sqlite"]

    again = start_server("--state", str(tmp_path / "state.sqlite"))
    assert len(httpx.get(f"{again.url}/__mock/state").json()["started_runs"]) == 1


def test_a_killed_server_leaves_its_changes_and_no_lock(start_server, tmp_path):
    first = start_server("--state", str(tmp_path / "state.sqlite"))
    assert httpx.post(f"{first.url}/__mock/workflows/wf_abc123/runs", json={}).is_success
    first.stop(signal.SIGKILL)

    again = start_server("--state", str(tmp_path / "state.sqlite"))
    assert len(httpx.get(f"{again.url}/__mock/state").json()["started_runs"]) == 1


@pytest.mark.parametrize("spelling", ["link.sqlite", "folder/../state.sqlite"])
def test_a_state_file_has_one_server_whatever_it_is_called(start_server, tmp_path, spelling):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.sqlite").symlink_to(tmp_path / "state.sqlite")
    start_server("--state", str(tmp_path / "state.sqlite"))
    second = start_second(tmp_path / spelling)

    assert (second.returncode, second.stdout) == (2, "")
    assert "is locked by another deadringer server" in second.stderr


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return a state file in which the default session and session a have a snapshot."""
    path = tmp_path_factory.mktemp("state") / "state.sqlite"
    service = Service(Settings(state=path), load_executions(()), SettableClock())
    for name in ("", "a"):
        for ordinal in range(3):
            wanted = {"overrides": {"n": ordinal}}
            service.start_run(service.snapshot(name), _COMPLETED["workflow_id"], wanted)
        service.change(name, "fault", {"id": "f1", "kind": "status", "status": 503})
        service.change(name, "clock", service.session_clock(name).as_json())
    service.close()
    return path


def change_started(**changes):
    def change(body):
        started = body["started"]
        for name, value in changes.items():
            started[name] = value(started[name])
        return body

    return change


DAMAGES = {
    "no object": (lambda body: [body], "its body is no object"),
    "an empty object": (lambda _: {}, "'beginning' is unknown"),
    "a beginning of another type": (lambda body: {**body, "beginning": []}, "is no object"),
    "an unknown fault": (
        lambda body: {**body, "faults": [{"id": "f", "kind": "quake"}]},
        "'quake' is unknown",
    ),
    "unknown chaos": (lambda body: {**body, "chaos": "quake"}, "'quake' is unknown"),
    "a time without a zone": (
        lambda body: {**body, "clock": {**body["clock"], "since": "2026-01-01T00:00:00"}},
        "has no zone",
    ),
    "an execution of another type": (
        lambda body: {**body, "executions": [["w", "r", "text"]]},
        "execution of its body is str",
    ),
    "one sign more": (change_started(kinds=lambda text: text + "A"), ""),
    "a kind less": (
        change_started(kinds=lambda _: b64encode(bytes(8)).decode()),
        "differ in length",
    ),
    "a kind out of range": (
        change_started(kinds=lambda _: b64encode(bytes([9, 0, 0, 0] * 3)).decode()),
        "a started run is of kind 9, there are 3",
    ),
    "an id less": (change_started(run_ids=lambda ids: ids[1:]), "differ in length"),
    "an id twice": (change_started(run_ids=lambda ids: [ids[0]] * 3), "no different texts"),
    "no time": (
        change_started(started_at=lambda _: b64encode(b"\x7f" * 24).decode()),
        "no time that has a date",
    ),
    "a workflow out of range": (
        change_started(shared=lambda shared: [[one, -1] for one, _ in shared]),
        "there is no workflow -1",
    ),
    "a price of another type": (
        change_started(shared=lambda shared: [[{**one, "price": "1"}, at] for one, at in shared]),
        "the price",
    ),
    "other counts": (change_started(counts=lambda _: {"wf_abc123": 2}), "the counts"),
    "moved by a text": (change_started(moved=lambda _: {"run_x": "1"}), "no number"),
}


def damage(path, session, change):
    """Change the text of a session's snapshot, and return what the file then holds."""
    with closing(sqlite3.connect(path)) as file, file:
        (text,) = file.execute(
            "SELECT body FROM snapshots WHERE session = ?", (session,)
        ).fetchone()
        file.execute("UPDATE snapshots SET body = ? WHERE session = ?", (change(text), session))
    return held_in(path)


def held_in(path):
    with closing(sqlite3.connect(path)) as file:
        return [*file.execute("SELECT * FROM snapshots"), *file.execute("SELECT * FROM events")]


def start_service(path):
    return Service(Settings(state=path), load_executions(()), SettableClock())


@pytest.fixture
def copied(written, tmp_path):
    return Path(shutil.copy(written, tmp_path))


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_snapshot_of_the_default_session_stops_the_start(copied, name):
    change, reason = DAMAGES[name]
    held = damage(copied, "", lambda text: json.dumps(change(json.loads(text))))

    with pytest.raises(StartError) as refused:
        start_service(copied)

    assert str(refused.value).startswith(
        f"State file {copied}: cannot read state: the snapshot of the default session: "
    )
    assert reason in str(refused.value)
    assert str(refused.value).endswith("or delete it to start over.")
    assert held_in(copied) == held


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, b"\xff\xfe"])
def test_a_snapshot_that_is_no_json_stops_the_start(copied, text):
    damage(copied, "", lambda _: text)

    with pytest.raises(StartError, match=r"the default session: its body is no JSON, "):
        start_service(copied)


@pytest.mark.parametrize("name", ["about", "sqlite_sequence"])
def test_a_damaged_value_stops_the_start(copied, name):
    change = {
        "about": "UPDATE about SET value = 'noon' WHERE name = 'began'",
        "sqlite_sequence": "UPDATE sqlite_sequence SET seq = 'many'",
    }[name]
    with closing(sqlite3.connect(copied)) as file, file:
        file.execute(change)

    with pytest.raises(StartError, match="tate file"):
        start_service(copied)


def test_a_damaged_snapshot_ends_the_command_with_one_line(refused_start, copied):
    damage(copied, "", lambda text: text[:200])

    refused = refused_start("--port", "0", "--state", str(copied))

    assert (refused.returncode, refused.stdout) == (2, "")
    (line,) = refused.stderr.splitlines()
    assert line.startswith(f"deadringer: State file {copied}: cannot read state: the snapshot")


@pytest.mark.parametrize("page", range(2, 9))
def test_damaged_pages_stop_the_start_or_the_requests_that_need_them(copied, over_http, page):
    data = bytearray(copied.read_bytes())
    data[4096 * (page - 1) : 4096 * page] = b"\x55" * 4096
    copied.write_bytes(data)
    try:
        app = build_app(Settings(state=copied), clock=SettableClock())
    except StartError as refused:
        assert f"tate file {copied}: " in str(refused)  # noqa: PT017 - one of the two
        return

    client = over_http(app)
    for headers in ({}, {"X-Mock-Session": "a"}):
        for response in (
            client.get("/__mock/state", headers=headers),
            client.post("/__mock/workflows/wf_abc123/runs", json={}, headers=headers),
        ):
            assert response.is_success or response.json()["error"]["code"] in {
                "INTERNAL_ERROR",
                "INSUFFICIENT_STORAGE",
            }
            assert response.is_success or "state" in response.json()["error"]["message"]
    app.extensions[EXTENSION].close()


def test_a_damaged_snapshot_of_a_named_session_is_an_error_of_its_requests(copied):
    held = damage(copied, "a", lambda text: text[:200])
    app = build_app(Settings(state=copied), clock=SettableClock())
    client = app.test_client()
    named = {"X-Mock-Session": "a"}

    responses = [
        client.get("/v1/workflows", headers={**DEMO, **named}),
        client.get("/__mock/state", headers=named),
        client.post("/__mock/reset", headers=named),
    ]

    for response in responses:
        assert response.status_code == 500
        error = response.json["error"]
        assert error["code"] == "INTERNAL_ERROR"
        assert error["message"].startswith(
            "cannot read state: the snapshot of session 'a': its body is no JSON, "
        )
        assert error["suggestion"].startswith("Use another session, or stop the server")
    assert client.get("/__mock/state").status_code == 200
    app.extensions[EXTENSION].close()
    assert held_in(copied) == held


def test_the_error_of_a_damaged_session_is_readable_for_pages_journaled_and_logged(copied, caplog):
    damage(copied, "a", lambda text: text[:200])
    app = build_app(Settings(state=copied, cors="reflect"), clock=SettableClock())
    client = app.test_client()
    named = {"X-Mock-Session": "a", "Origin": "https://app.example"}

    with caplog.at_level("INFO", logger="deadringer.requests"):
        listed = client.get("/v1/workflows", headers={**DEMO, **named, "Prefer": "fault=id-null"})
        control = client.get("/__mock/state", headers={**named, "Origin": "http://localhost:5173"})

    assert [listed.status_code, control.status_code] == [500, 500]
    assert listed.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "RateLimit-Remaining" in listed.headers["Access-Control-Expose-Headers"]
    assert control.headers["Access-Control-Allow-Origin"] == "http://localhost:5173"
    (entry,) = app.extensions[JOURNAL].newest("a")
    assert (entry.status_code, entry.response_body) == (500, listed.data)
    assert [one.getMessage().partition(" 500 ")[0] for one in caplog.records] == [
        "GET /v1/workflows",
        "GET /__mock/state",
    ]
    assert client.get("/__mock/state").status_code == 200
    app.extensions[EXTENSION].close()
