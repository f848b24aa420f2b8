"""A recording responds to the requests it holds, in its order, and to no other request."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from deadringer.contracts import Exchange
from deadringer.mockserver.errors import ApiError
from deadringer.mockserver.exceptions import StartError
from deadringer.mockserver.proxy.refusals import no_recording
from deadringer.mockserver.proxy.replay import REPLACED, Replay, StoredResponse
from deadringer.mockserver.proxy.unmatched import NoRecording

from .exchanges import KEY, RUN, RUN_PATH, exchange, har_text

WITH_KEY = {"x-api-key": "trig_any_key_of_another_day"}
LIST = "/v1/workflows/wf_real/executions"


@pytest.fixture
def replay_of(tmp_path: Path):
    """Return the replay of exchanges, through a HAR file."""

    def load(*exchanges: Exchange) -> Replay:
        file = tmp_path / "recording.har"
        file.write_text(har_text(*exchanges), "utf-8")
        return Replay.load(tmp_path)

    return load


def status_of(replay: Replay, path: str = RUN_PATH, **parts: object) -> object:
    response = read(replay, path, **parts)
    return response.status if isinstance(response, StoredResponse) else refusal(response).kind.code


def read(
    replay: Replay,
    path: str = RUN_PATH,
    query: str = "",
    *,
    method="GET",
    headers=None,
    body=b"",
    session="",
):
    sent = WITH_KEY if headers is None else headers
    return replay.respond(method, path, query, sent, body, session=session)


def refusal(response: NoRecording, redact=str) -> ApiError:
    return no_recording(response, None, redact)


def reasons(response: object) -> list[tuple[str, ...]]:
    assert isinstance(response, NoRecording)
    return [one.reasons for one in response.nearest]


def test_a_run_advances_as_recorded_and_stays_at_its_end(replay_of) -> None:
    states = ["running", "running", "completed"]
    replay = replay_of(*(exchange(RUN_PATH, {"status": one}) for one in states))

    seen = [json.loads(read(replay).body)["data"]["status"] for _ in range(5)]

    assert seen == ["running", "running", "completed", "completed", "completed"]


def test_each_session_has_its_own_place(replay_of, monkeypatch) -> None:
    monkeypatch.setattr("deadringer.mockserver.proxy.replay._MOST_SESSIONS", 2)
    replay = replay_of(exchange(RUN_PATH, 1), exchange(RUN_PATH, 2))

    def number(session: str) -> int:
        return json.loads(read(replay, session=session).body)["data"]

    assert [number(one) for one in ("a", "b", "a", "b")] == [1, 1, 2, 2]
    assert [number(one) for one in ("c", "b", "a")] == [1, 2, 1]  # a was the least recent


def test_a_response_is_the_recorded_one_without_what_belongs_to_the_connection(replay_of) -> None:
    headers = {
        "content-type": "application/json; charset=utf-8",
        "ratelimit-remaining": "7",
        "content-encoding": "gzip",
        "content-length": "5",
        "transfer-encoding": "chunked",
        "date": "Fri, 27 Mar 2026 10:15:00 GMT",
        "set-cookie": "a=b",
        "access-control-allow-origin": "https://other.test",
    }
    recorded = exchange(RUN_PATH, status=503, response_body=b"<p>off</p>", response_headers=headers)

    response = read(replay_of(recorded))

    assert (response.status, response.body) == (503, b"<p>off</p>")
    assert dict(response.headers) == {
        "content-type": "application/json; charset=utf-8",
        "ratelimit-remaining": "7",
        "deadringer-replay": "1/1",
    }


def test_the_order_of_the_query_and_escapes_of_the_path_do_not_matter(replay_of) -> None:
    recorded = exchange("/v1/workflows/wf%20a/executions", query={"page": "1", "page_size": "5"})
    replay = replay_of(recorded)

    assert status_of(replay, "/v1/workflows/wf a/executions", query="page_size=5&page=1") == 200
    assert status_of(replay, "/v1/workflows/wf%20a/executions", query="page=1") == "NOT_RECORDED"
    slash = "/v1/workflows/wf%20a%2Fexecutions"
    assert status_of(replay, slash, query="page_size=5&page=1") == "NOT_RECORDED"


def test_a_write_matches_by_its_body(replay_of) -> None:
    path = "/v1/workflows/wf_real/test"
    bodies = [{"overrides": {"likes": 1}}, {"overrides": {"likes": 2}}, None]
    replay = replay_of(
        *(
            exchange(path, {"number": number}, method="POST", request_body=body)
            for number, body in enumerate(bodies)
        )
    )

    def number_of(body: bytes) -> object:
        response = read(replay, path, method="POST", body=body)
        return json.loads(response.body)["data"]["number"]

    assert number_of(b'{"overrides": {"likes": 2}}') == 1
    assert number_of(b'{"overrides":{"likes":1}}') == 0
    assert number_of(b"") == 2
    unknown = read(replay, path, method="POST", body=b'{"overrides": {"likes": true}}')
    assert ("body: differs at /overrides/likes",) in reasons(unknown)


def test_where_sanitizing_replaced_a_text_of_the_body_any_text_matches(tmp_path: Path) -> None:
    path = "/v1/workflows/wf_real/test"
    body = {"overrides": {"text": "replaced", "likes": 1}}
    har = json.loads(har_text(exchange(path, method="POST", request_body=body)))
    har["log"]["entries"][0]["request"]["postData"][REPLACED] = ["/overrides/text"]
    file = tmp_path / "any name.har"
    file.write_text(json.dumps(har))
    replay = Replay.load(file)

    def status(text: object, likes: object) -> object:
        body = json.dumps({"overrides": {"text": text, "likes": likes}}).encode()
        return status_of(replay, path, method="POST", body=body)

    assert [status("typed", 1), status("typed", 2), status(3, 1)] == [
        200,
        "NOT_RECORDED",
        "NOT_RECORDED",
    ]


def test_a_head_is_that_of_the_next_get_and_does_not_advance_it(replay_of) -> None:
    replay = replay_of(exchange(RUN_PATH, 1), exchange(RUN_PATH, 2, status=500))

    heads = [read(replay, method="HEAD").status for _ in range(3)]

    assert heads == [200, 200, 200]
    assert [status_of(replay), status_of(replay, method="HEAD")] == [200, 500]


def test_a_copy_that_is_current_gets_a_304_and_the_series_advances(replay_of) -> None:
    tagged = {"content-type": "application/json", "etag": '"real"', "cache-control": "no-cache"}
    first, second = (exchange(RUN_PATH, number, response_headers=tagged) for number in (1, 2))
    replay = replay_of(first, second)
    etag = dict(read(replay, session="earlier").headers)["etag"]

    current = read(replay, headers={**WITH_KEY, "if-none-match": f'"other", {etag}'})
    changed = read(replay, headers={**WITH_KEY, "if-none-match": etag})

    assert (current.status, current.body) == (304, b"")
    assert dict(current.headers) == {
        "cache-control": "no-cache",
        "etag": etag,
        "deadringer-replay": "1/2",
    }
    assert (changed.status, dict(changed.headers)["etag"] != etag) == (200, True)


def test_a_copy_of_the_real_response_is_not_current(replay_of) -> None:
    replay = replay_of(exchange(RUN_PATH, RUN, response_headers={"etag": '"real"'}))

    assert status_of(replay, headers={**WITH_KEY, "if-none-match": '"real"'}) == 200


def test_a_copy_is_compared_by_date_where_there_is_no_etag(replay_of) -> None:
    since = "Fri, 27 Mar 2026 10:15:00 GMT"
    replay = replay_of(exchange(RUN_PATH, RUN, response_headers={"last-modified": since}))

    assert status_of(replay, headers={**WITH_KEY, "if-modified-since": since}) == 304
    assert status_of(replay) == 200


def test_a_recorded_304_stands_for_the_response_it_confirmed(replay_of) -> None:
    confirmed = exchange(RUN_PATH, status=304, response_body=b"")
    replay = replay_of(confirmed, exchange(RUN_PATH, 1), confirmed, exchange(RUN_PATH, 2))

    numbers = [json.loads(read(replay).body)["data"] for _ in range(4)]

    assert numbers == [1, 1, 2, 2]
    assert replay.left_out == 1


def test_a_request_without_a_key_gets_the_401_of_the_service(replay_of) -> None:
    replay = replay_of(exchange(RUN_PATH, RUN))

    refused = refusal(read(replay, headers={}))

    assert (refused.kind.status, refused.kind.code) == (401, "AUTH_REQUIRED")
    assert refused.details is None


def test_what_was_recorded_without_a_key_is_for_requests_without_one(replay_of) -> None:
    keyless = exchange(RUN_PATH, status=401, request_headers={}, response_body=b"{}")
    replay = replay_of(keyless, exchange(RUN_PATH, RUN))

    assert [status_of(replay, headers={}), status_of(replay)] == [401, 200]
    assert status_of(replay, headers={"authorization": f"Bearer {KEY}"}) == 200


def test_a_recording_of_a_browser_that_removed_every_key_needs_none(replay_of) -> None:
    replay = replay_of(exchange(RUN_PATH, RUN, request_headers={}))

    assert [status_of(replay, headers={}), status_of(replay)] == [200, 200]


@pytest.mark.parametrize(
    ("request_parts", "reason"),
    [
        ({"path": f"{LIST}/run_other"}, "path segment 5: recorded 'run_real', got 'run_other'"),
        ({"path": f"{RUN_PATH}/variables"}, "path: recorded 5 segments, got 6"),
        ({"query": "page=2"}, 'query page: recorded nothing, got "2"'),
        ({"method": "PUT"}, "method: recorded GET, got PUT"),
    ],
    ids=["segment", "number", "query", "method"],
)
def test_the_nearest_request_and_why_it_does_not_match_are_reported(
    replay_of, request_parts, reason
) -> None:
    replay = replay_of(exchange(RUN_PATH, RUN))

    response = read(replay, **request_parts)

    error = refusal(response, lambda text: text.replace("real", "hidden"))
    near = {"request": f"GET {RUN_PATH}", "differs": [reason]}
    assert error.details == json.loads(json.dumps({"nearest": [near]}).replace("real", "hidden"))
    assert (error.kind.status, error.headers) == (502, {"Cache-Control": "no-store"})


def test_of_many_recorded_requests_the_most_similar_come_first(replay_of) -> None:
    others = (exchange(f"{LIST}/run_{number:04}", RUN) for number in range(300))
    replay = replay_of(*others, exchange(f"{LIST}/run_abcdefgh", RUN))

    response = read(replay, f"{LIST}/run_abcdefgx")

    assert isinstance(response, NoRecording)
    assert response.nearest[0].label == f"GET {LIST}/run_abcdefgh"
    assert len(response.nearest) == 3


def test_keys_in_a_query_are_not_shown(replay_of) -> None:
    replay = replay_of(exchange(RUN_PATH, RUN))

    error = refusal(read(replay, query=f"api_key=s3cret&q={KEY}"))

    assert "s3cret" not in json.dumps(error.body)
    assert KEY not in json.dumps(error.body)


def test_a_body_that_was_not_recorded_is_no_response(replay_of) -> None:
    unknown = replace(exchange(RUN_PATH), response_body=b"", has_unknown_body=True)

    replay = replay_of(unknown, exchange(LIST))

    assert status_of(replay) == "NOT_RECORDED"
    assert replay.left_out == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot be read"),
        ("{", "not JSON"),
        ("[]", "no HAR file"),
        (har_text(), "no response of the API"),
        (har_text(exchange(RUN_PATH, status=304, response_body=b"")), "no response of the API"),
    ],
    ids=range(5),
)
def test_what_is_no_recording_is_refused_with_a_fix(tmp_path: Path, text, message) -> None:
    if text is not None:
        (tmp_path / "recording.har").write_text(text)

    with pytest.raises(StartError, match=message) as refused:
        Replay.load(tmp_path)

    assert "recording.har" in str(refused.value)
    assert any(word in str(refused.value) for word in ("--record", "Specify"))
