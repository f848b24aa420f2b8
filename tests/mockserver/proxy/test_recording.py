"""What is observed becomes one HAR file and fixtures, soon and atomically."""

import json
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from deadringer.contracts import Exchange, Json, parse_json
from deadringer.contracts.check import ReportError
from deadringer.contracts.documents import validate_document
from deadringer.fixtures import Sanitizer, load_folder
from deadringer.mockserver import DEMO_KEY, Settings, create_app
from deadringer.mockserver.exceptions import StartError
from deadringer.mockserver.proxy import recording
from deadringer.mockserver.proxy.recording import TrafficRecording
from deadringer.mockserver.proxy.recording_folder import RecordingFolder, file_names
from deadringer.mockserver.proxy.replay import Replay, StoredResponse

from .exchanges import KEY, RUN, RUN_PATH, RUNNING, WORKFLOW, exchange

LIST = "/v1/workflows/wf_real/executions"
UPSTREAM = "https://internal.corp-of-mine.net/prefix"


def recorded(folder: Path, *exchanges: Exchange, sanitizer=None, **options):
    """Record exchanges; return the summary."""
    growing = TrafficRecording(RecordingFolder(folder), UPSTREAM, sanitizer, **options)
    for one in exchanges:
        growing.observe(one)
    return growing.close()


def names_in(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def har_in(folder: Path) -> Json:
    return json.loads((folder / "recording.har").read_text("utf-8"))


def test_the_last_read_of_a_run_and_its_workflow_become_fixtures(tmp_path: Path) -> None:
    summary = recorded(
        tmp_path,
        exchange("/v1/workflows", {"items": [WORKFLOW], "has_more": False, "total": 1}),
        exchange(RUN_PATH, RUNNING),
        exchange(RUN_PATH, RUN),
    )

    assert summary[1:4] == (3, 1, 1)
    assert names_in(tmp_path) == [
        "execution-run_real.json",
        "recording.har",
        "workflow-wf_real.json",
    ]
    found = load_folder(tmp_path)
    assert [one.execution for one in found.executions] == [RUN]
    assert [one.workflow for one in found.workflows] == [WORKFLOW]


def test_the_mock_serves_what_was_recorded(tmp_path: Path) -> None:
    recorded(tmp_path, exchange("/v1/workflows/wf_real", WORKFLOW), exchange(RUN_PATH, RUN))
    app = create_app(Settings(fixtures=(tmp_path,), empty=True))
    client = app.test_client()

    def data(path: str) -> Json:
        return client.get(path, headers={"x-api-key": DEMO_KEY}).json["data"]

    assert data(RUN_PATH) == RUN
    assert data("/v1/workflows/wf_real") == WORKFLOW | {"execution_count": 1}
    assert [one["run_id"] for one in data(LIST)["executions"]] == ["run_real"]
    assert WORKFLOW["name"] in [one["name"] for one in data("/v1/workflows")["items"]]


def test_the_har_is_valid_and_replays(tmp_path: Path) -> None:
    headers = {
        "content-type": "application/json",
        "ratelimit-limit": "100",
        "ratelimit-remaining": "99",
        "ratelimit-reset": "60",
    }
    recorded(tmp_path, exchange(RUN_PATH, RUN, response_headers=headers))

    response = Replay.load(tmp_path).respond("GET", RUN_PATH, "", {"x-api-key": "any"})

    assert validate_document(har_in(tmp_path)) == []
    assert isinstance(response, StoredResponse)
    assert json.loads(response.body)["data"] == RUN


def test_a_document_that_violates_the_contract_is_in_the_har_only_and_named(tmp_path) -> None:
    late = RUN | {"run_id": "run_late", "duration_ms": 1}
    unnamed = {name: value for name, value in WORKFLOW.items() if name != "name"}

    summary = recorded(
        tmp_path,
        exchange(RUN_PATH, RUN),
        exchange(f"{LIST}/run_late", late),
        exchange(f"{LIST}/run_none", None),
        exchange("/v1/workflows/wf_real", unnamed),
    )

    assert [tuple(one) for one in summary.left_out] == [
        ("execution run_late", ("duration_is_end_minus_start",)),
        ("execution without an id", ("schema",)),
        ("workflow wf_real", ("schema",)),
    ]
    assert names_in(tmp_path) == ["execution-run_real.json", "recording.har"]
    assert len(har_in(tmp_path)["log"]["entries"]) == 4
    assert len(load_folder(tmp_path).executions) == 1


def test_a_run_of_two_workflows_can_be_served_in_one_of_them(tmp_path: Path) -> None:
    other = RUN | {"workflow_id": "wf_other"}

    summary = recorded(
        tmp_path,
        exchange(RUN_PATH, RUN),
        exchange("/v1/workflows/wf_other/executions/run_real", other),
    )

    assert [one.what for one in summary.left_out] == ["execution run_real"]
    assert [one.execution for one in load_folder(tmp_path).executions] == [RUN]


def test_the_summary_names_what_is_left_out_and_how_to_go_on(tmp_path: Path) -> None:
    late = RUN | {"run_id": "run_late", "duration_ms": 1}
    folder = tmp_path / "a place"

    nothing = recorded(folder).lines
    lines = recorded(folder, exchange(f"{LIST}/run_late", late)).lines

    assert nothing == [f"Recorded nothing in '{folder}': no request of the API passed the proxy."]
    assert lines == [
        f"Recorded in '{folder}': 1 exchange, 0 executions, 0 workflows.",
        "In the HAR file only, because they violate the contract:",
        "  execution run_late: duration_is_end_minus_start",
        f"Serve it:  deadringer serve --empty --fixtures '{folder}'",
        f"Replay it: deadringer proxy --replay '{folder}'",
    ]


def test_the_clock_of_exchanges_may_begin_at_any_time(tmp_path: Path) -> None:
    recorded(tmp_path, exchange(RUN_PATH, RUN, sent_at_s=5.25), epoch_s=1_774_606_500.0)

    assert har_in(tmp_path)["log"]["entries"][0]["startedDateTime"].startswith(
        "2026-03-27T10:15:05.25"
    )


def test_numbers_keep_their_digits(tmp_path: Path) -> None:
    body = json.dumps({"success": True, "message": "ok", "data": RUN | {"x": "HERE"}})
    digits = "[1.10,98765432109876543210.123456789]"

    recorded(tmp_path, exchange(RUN_PATH, response_body=body.replace('"HERE"', digits).encode()))

    assert digits in (tmp_path / "execution-run_real.json").read_text()


def test_a_document_with_a_member_that_stands_twice_is_no_fixture(tmp_path: Path) -> None:
    text = json.dumps({"success": True, "message": "ok", "data": RUN})
    twice = text.replace('"status":', '"status": "failed", "status":', 1).encode()

    summary = recorded(tmp_path, exchange(RUN_PATH, response_body=twice))

    assert [tuple(one) for one in summary.left_out] == [("execution without an id", ("schema",))]
    assert names_in(tmp_path) == ["recording.har"]


def test_failed_empty_and_unmodified_responses_are_no_documents(tmp_path: Path) -> None:
    summary = recorded(
        tmp_path,
        exchange(RUN_PATH, RUN, status=404),
        exchange(RUN_PATH, RUN, status=304, response_body=b""),
        replace(exchange(RUN_PATH), has_unknown_body=True, response_body=b""),
    )

    assert summary[1:4] == (3, 0, 0)
    assert names_in(tmp_path) == ["recording.har"]


@pytest.mark.parametrize("header", ["x-api-key", "authorization"])
def test_no_key_is_in_any_file_though_a_response_showed_it_first(tmp_path: Path, header) -> None:
    key = "a_key_without_the_usual_shape"
    shown = RUN | {"error": None, "event_name": f"seen {key}"}
    sent = {header: key if header == "x-api-key" else f"Bearer {key}"}
    growing = TrafficRecording(RecordingFolder(tmp_path), UPSTREAM)
    growing.observe(exchange(RUN_PATH, shown, request_headers={}))
    growing._write()

    growing.observe(exchange(LIST, {}, request_headers=sent))
    growing.close()

    texts = [one.read_text("utf-8") for one in tmp_path.iterdir()]
    assert not [one for one in texts if key in one]
    assert "seen ***" in "".join(texts)


def test_everything_written_is_sanitized_and_replays_as_one_story(tmp_path: Path) -> None:
    step = RUN["steps"][0] | {"output": {"full_name": "Josephine Okafor"}, "mapped_output": None}
    run = RUN | {"steps": [step], "column_config": None}
    body = {
        "overrides": {"text": "Hello Josephine Okafor, please call me about the offer!", "likes": 3}
    }
    session = "0123456789abcdef"
    headers = {"x-api-key": KEY, "host": "internal.corp-of-mine.net", "cookie": f"sid={session}"}

    summary = recorded(
        tmp_path,
        exchange(LIST, {"executions": [{"run_id": "run_real1"}]}, request_headers=headers),
        exchange("/v1/workflows/wf_real/executions/run_real1", run | {"run_id": "run_real1"}),
        exchange("/v1/workflows/wf_real/test", method="POST", request_body=body),
        sanitizer=Sanitizer(),
    )

    assert "field:name" in summary.detectors
    assert any("field:name" in line for line in summary.lines)
    assert any("words of free text are as they were" in line for line in summary.lines)
    texts = [one.read_text("utf-8") for one in tmp_path.iterdir()]
    for secret in ("Josephine", "Okafor", "corp-of", "run_real1", KEY, session):
        assert not [one for one in texts if secret in one]
    (document,) = load_folder(tmp_path).executions
    replay = Replay.load(tmp_path)

    def data(path: str, method: str = "GET", body: bytes = b"") -> Json:
        response = replay.respond(method, path, "", {"x-api-key": "k"}, body)
        assert isinstance(response, StoredResponse)
        return json.loads(response.body)["data"]

    path = f"/v1/workflows/{document.execution['workflow_id']}"
    (row,) = data(f"{path}/executions")["executions"]
    assert data(f"{path}/executions/{row['run_id']}") == document.execution
    assert data(f"{path}/test", "POST", json.dumps(body).encode()) is None  # as a person types it


def test_what_is_learned_later_is_replaced_in_what_was_written_before(tmp_path: Path) -> None:
    growing = TrafficRecording(RecordingFolder(tmp_path), UPSTREAM, Sanitizer())
    early = RUN["steps"][0] | {"output": {"text": "For Josephine"}, "mapped_output": None}
    growing.observe(exchange(RUN_PATH, RUN | {"steps": [early], "column_config": None}))
    growing._write()
    assert "Josephine" in (tmp_path / "recording.har").read_text()

    step = RUN["steps"][0] | {"output": {"first_name": "Josephine"}, "mapped_output": None}
    growing.observe(
        exchange(f"{LIST}/run_b", RUN | {"run_id": "run_b", "steps": [step], "column_config": None})
    )
    growing.close()

    assert not [one for one in tmp_path.iterdir() if "Josephine" in one.read_text()]


def test_a_number_beyond_a_double_in_a_request_is_recorded(tmp_path: Path) -> None:
    body = parse_json('{"overrides": {"likes": 1e999, "name": "Josephine Okafor"}}').value
    start = exchange("/v1/workflows/wf_real/test", {}, method="POST", request_body=body)

    assert recorded(tmp_path, start, sanitizer=Sanitizer()).exchanges == 1
    assert "Okafor" not in (tmp_path / "recording.har").read_text()


def test_a_folder_in_place_of_an_earlier_file_is_an_error_not_a_crash(tmp_path: Path) -> None:
    recorded(tmp_path, exchange(RUN_PATH, RUN))
    (tmp_path / "execution-run_real.json").unlink()
    (tmp_path / "execution-run_real.json").mkdir()

    with pytest.raises(ReportError, match="cannot be"):
        recorded(tmp_path, exchange(f"{LIST}/run_b", RUN | {"run_id": "run_b"}))


def test_it_is_written_while_it_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "_PAUSE_S", 0.01)
    growing = TrafficRecording(RecordingFolder(tmp_path), UPSTREAM)
    growing.observe(exchange(RUN_PATH, RUNNING))
    wait_until(lambda: (tmp_path / "execution-run_real.json").exists())

    growing.observe(exchange(RUN_PATH, RUN))
    wait_until(lambda: load_folder(tmp_path).executions[0].execution == RUN)

    growing.close()


def test_threads_may_observe_while_it_is_written(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(recording, "_PAUSE_S", 0.0)
    growing = TrafficRecording(RecordingFolder(tmp_path), UPSTREAM)

    def observe(start: int) -> None:
        for number in range(start, start + 20):
            run = RUN | {"run_id": f"run_{number}"}
            growing.observe(exchange(f"{LIST}/run_{number}", run))

    threads = [threading.Thread(target=observe, args=(start,)) for start in range(0, 60, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert growing.close()[1:3] == (60, 60)
    assert len(load_folder(tmp_path).executions) == 60


def test_a_full_recording_counts_what_it_lost(tmp_path: Path, caplog, monkeypatch) -> None:
    monkeypatch.setattr(recording.LOG, "propagate", True)  # other tests configure the log
    one = exchange(RUN_PATH, RUN)

    most_bytes = 10_000 + len(one.response_body) * 2
    summary = recorded(tmp_path, one, one, one, most_bytes=most_bytes)

    assert (summary.exchanges, summary.lost) == (2, 1)
    assert "The recording is full" in caplog.text


def test_a_recording_replaces_an_earlier_one_when_something_was_seen(tmp_path: Path) -> None:
    recorded(tmp_path, exchange(RUN_PATH, RUN), exchange("/v1/workflows/wf_real", WORKFLOW))
    before = names_in(tmp_path)

    assert RecordingFolder(tmp_path).replaces
    assert recorded(tmp_path).exchanges == 0
    assert names_in(tmp_path) == before

    recorded(tmp_path, exchange(f"{LIST}/run_b", RUN | {"run_id": "run_b"}))
    assert names_in(tmp_path) == ["execution-run_b.json", "recording.har"]
    assert len(har_in(tmp_path)["log"]["entries"]) == 1


@pytest.mark.parametrize(
    "files",
    [
        {"notes.txt": "mine"},
        {"execution-mine.json": "{}"},
        {"recording.har": '{"log": {"creator": {"name": "Firefox"}, "entries": []}}'},
    ],
    ids=range(3),
)
def test_a_folder_with_files_of_others_is_refused(tmp_path: Path, files) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    with pytest.raises(StartError, match="Specify an empty folder") as refused:
        RecordingFolder(tmp_path)

    assert next(iter(files)) in str(refused.value)


def test_a_file_added_to_a_recording_is_not_deleted(tmp_path: Path) -> None:
    recorded(tmp_path, exchange(RUN_PATH, RUN))
    (tmp_path / "execution-mine.json").write_text("{}")

    with pytest.raises(StartError, match=r"execution-mine\.json"):
        RecordingFolder(tmp_path)


def test_hidden_files_do_not_matter_and_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("")
    recorded(tmp_path / "new" / "place", exchange(RUN_PATH, RUN))
    file = tmp_path / "file"
    file.write_text("")

    assert names_in(tmp_path / "new" / "place") == ["execution-run_real.json", "recording.har"]
    with pytest.raises(StartError, match="Specify a folder"):
        RecordingFolder(file)


def test_a_folder_that_is_gone_is_an_error_at_the_end(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    growing = TrafficRecording(RecordingFolder(folder), UPSTREAM)
    growing.observe(exchange(RUN_PATH, RUN))
    folder.rmdir()

    with pytest.raises(ReportError, match="cannot be written"):
        growing.close()


def test_file_names_are_safe_and_differ() -> None:
    ids = ["run_A", "run_a", "../up", "a/b", "a b", "x" * 300, "con", "ü"]

    names = file_names("execution", ids)

    assert names["run_A"] == "execution-run_A"
    assert len({one.casefold() for one in names.values()}) == len(ids)
    assert not [one for one in names.values() if set(one) & set("/\\ :") or len(one) > 120]


def wait_until(is_true, seconds: float = 10) -> None:
    """Fail unless the condition becomes true in time."""
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.01)
