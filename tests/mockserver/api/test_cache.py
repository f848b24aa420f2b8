"""The response cache: the same responses as the application's, never stale."""

import gzip
import json
import signal
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import zstandard

from deadringer.fixtures import load_recordings
from deadringer.mockserver import DEMO_KEY, RatePolicy, Settings
from deadringer.mockserver.api.middleware.journal import MAX_BODY_BYTES
from deadringer.mockserver.app import JOURNAL, build_app
from tests.machine import NO_TLS
from tests.mockserver.conftest import DEMO, KNOWN

RUN_PATH = f"/__mock{KNOWN.removeprefix('/v1')}"
FAILED = "/v1/workflows/wf_def456/executions/run_p3n8q1"
RUNNING = next(
    f"/v1/workflows/{run['workflow_id']}/executions/{run['run_id']}"
    for run in (recording.execution for recording in load_recordings())
    if run["status"] == "running"
)
OTHER_KEY = "trig_another_key_0123456789"


@pytest.fixture
def mock(over_http, clock):
    settings = Settings(api_keys=(DEMO_KEY, OTHER_KEY), rate_policy=RatePolicy(10_000, 60))
    return over_http(build_app(settings, clock=clock))


def repeats(mock, path=KNOWN, **headers) -> bool:
    """Send three requests; return whether the last response came from the cache."""
    for _ in range(2):
        mock.get(path, headers=headers)
    before = mock.twins.repeated
    mock.get(path, headers=headers)
    return mock.twins.repeated > before


def world_run(mock, status="completed") -> str:
    """Return the path of a run of the seeded world."""
    rows = mock.get("/v1/workflows/wf_abc123/executions?page=2&page_size=50").json()
    row = next(one for one in rows["data"]["executions"] if one["status"] == status)
    return f"/v1/workflows/wf_abc123/executions/{row['run_id']}"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-api-key": OTHER_KEY},
        {"Authorization": f"Bearer {OTHER_KEY}"},
        {"Origin": "http://localhost:5173"},
        {"Accept-Encoding": "identity"},
        {"Accept-Encoding": "gzip"},
        {"Accept-Encoding": "gzip;q=0.5, zstd"},
        {"Accept": "text/html", "Accept-Language": "de", "Sec-Fetch-Mode": "cors"},
        {"If-None-Match": '"another"'},
    ],
)
def test_a_plain_read_of_a_finished_run_is_repeated(mock, headers):
    assert repeats(mock, **headers)
    assert repeats(mock, FAILED, **headers)
    assert repeats(mock, world_run(mock, "failed"), **headers)


def test_a_large_answer_is_repeated_whole(mock):
    large = max((one.execution for one in load_recordings()), key=lambda run: len(str(run)))
    path = f"/v1/workflows/{large['workflow_id']}/executions/{large['run_id']}"

    assert repeats(mock, path, **{"Accept-Encoding": "identity"})
    assert len(mock.get(path).content) > 500_000


def test_what_is_not_changed_is_repeated_as_such(mock):
    tag = mock.get(KNOWN).headers["ETag"]

    assert repeats(mock, **{"If-None-Match": tag})
    assert mock.get(KNOWN, headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (RUNNING, {}),
        (f"{KNOWN}?__code=404", {}),
        (KNOWN, {"Prefer": "status=failed"}),
        (KNOWN, {"Prefer": "delay=1"}),
        (KNOWN, {"X-Unheard-Of": "1"}),
        (KNOWN, {"Range": "bytes=0-10"}),
        (KNOWN, {"x-api-key": "trig_unknown_0123456789"}),
        (KNOWN, {"x-api-key": ""}),
        (f"{KNOWN}x", {}),
        ("/v1/workflows/wf_abc123/executions/run_failed", {}),
        ("/v1/workflows/wf_abc123/executions", {}),
        ("/v1/credits/balance", {}),
    ],
)
def test_anything_else_is_answered_by_the_application(mock, path, headers):
    assert repeats(mock, KNOWN)
    assert not repeats(mock, path, **headers)


def test_other_methods_are_answered_by_the_application(mock):
    assert repeats(mock)

    assert mock.head(KNOWN).content == b""
    assert mock.post(KNOWN).status_code == 405
    assert mock.options(KNOWN).status_code == 204


def mended(mock):
    execution = mock.get(KNOWN).json()["data"]
    return {**execution, "id": "exec_changed"}


CHANGES = {
    "put": lambda mock: mock.put(RUN_PATH, json=mended(mock)),
    "patch": lambda mock: mock.patch(RUN_PATH, json={"id": "exec_changed"}),
    "delete": lambda mock: mock.delete(RUN_PATH),
    "fault": lambda mock: mock.post("/__mock/faults", json={"kind": "status", "status": 503}),
    "fault elsewhere": lambda mock: mock.post(
        "/__mock/faults", json={"kind": "status", "path": "/v1/credits/*"}
    ),
    "chaos": lambda mock: mock.put("/__mock/chaos", json={"profile": "maintenance"}),
    "contract fault": lambda mock: mock.put("/__mock/contract-faults/duration-in-seconds"),
    "clock": lambda mock: mock.put(
        "/__mock/clock", json={"now": "2020-01-01T00:00:00Z", "speed": 0}
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_no_change_is_missed_and_a_reset_takes_it_back(mock, change):
    before = mock.get(KNOWN).content
    assert repeats(mock)

    assert CHANGES[change](mock).is_success
    during = [mock.get(KNOWN) for _ in range(3)]
    assert mock.post("/__mock/reset").is_success

    # The twin compares every response; here only whether the change had an effect is tested.
    if change not in {"clock", "fault elsewhere"}:
        assert all(response.content != before for response in during)
    assert mock.get(KNOWN).content == before
    assert repeats(mock)


def test_a_session_has_answers_of_its_own(mock):
    mine = {"X-Mock-Session": "mine"}
    mock.post("/__mock/clock/advance", json={"seconds": 1}, headers=mine)
    assert repeats(mock)
    assert repeats(mock, **mine)

    mock.patch(RUN_PATH, json={"id": "exec_changed"}, headers=mine)

    assert mock.get(KNOWN, headers=mine).json()["data"]["id"] == "exec_changed"
    in_key = {"x-api-key": f"{DEMO_KEY}__session_mine"}
    assert mock.get(KNOWN, headers=in_key).json()["data"]["id"] == "exec_changed"
    assert mock.get(KNOWN).json()["data"]["id"] != "exec_changed"


def test_a_session_in_a_bearer_token_is_one_session_for_all_layers(mock):
    """Its contract faults apply to it, those of others do not, and neither is cached."""
    mine = {"Authorization": f"Bearer {DEMO_KEY}__session_mine", "x-api-key": ""}
    mock.post("/__mock/clock/advance", json={"seconds": 1}, headers={"X-Mock-Session": "mine"})
    original = mock.get(KNOWN).json()

    mock.put("/__mock/contract-faults/duration-in-seconds")
    others = [mock.get(KNOWN, headers=mine) for _ in range(3)]
    mock.post("/__mock/reset")
    mock.put("/__mock/contract-faults/duration-in-seconds", headers={"X-Mock-Session": "mine"})
    faulty = [mock.get(KNOWN, headers=mine) for _ in range(3)]
    journal = mock.get("/__mock/journal", headers={"X-Mock-Session": "mine"}).json()

    assert all(response.json() == original for response in others)
    assert all(response.json() != original for response in faulty)
    assert journal["total"] == 6


def test_a_run_is_forgotten_when_its_time_is_over(mock, clock):
    path = world_run(mock)
    assert repeats(mock, path)

    clock.advance(10 * 365 * 86_400)

    assert mock.get(path).status_code == 404


def test_a_run_that_has_not_begun_is_forgotten_when_the_clock_is_set_back(mock, clock):
    path = world_run(mock)
    assert repeats(mock, path)

    clock.advance(-400 * 86_400)

    assert mock.get(path).status_code == 404


def test_a_fast_clock_reaches_midnight_early(mock, clock):
    mock.put("/__mock/clock", json={"speed": 86_400})
    path = world_run(mock)
    assert repeats(mock, path)

    clock.advance(3 * 365)  # three thousand years of the session

    assert mock.get(path).status_code == 404


def test_a_run_that_was_started_is_repeated_once_it_is_over(mock):
    run = mock.post("/__mock/workflows/wf_abc123/runs", json={}).json()
    assert not repeats(mock, run["path"])

    mock.post("/__mock/clock/advance", json={"seconds": 7200})

    assert repeats(mock, run["path"])


def test_new_documents_are_served_at_once(over_http, clock):
    app = build_app(Settings(), clock=clock)
    mock = over_http(app)
    assert repeats(mock)

    for one in (app, mock.twins.twin):
        service = one.extensions["deadringer"]
        service.use(service.executions)

    before = mock.twins.repeated
    mock.get(KNOWN)
    assert mock.twins.repeated == before
    assert repeats(mock)


def test_repeated_answers_are_counted_and_journaled(mock):
    remaining = [mock.get(KNOWN).headers["RateLimit-Remaining"] for _ in range(4)]
    assert mock.twins.repeated

    entries = mock.get("/__mock/journal").json()["entries"]

    assert [int(one) for one in remaining] == [9999, 9998, 9997, 9996]
    assert [entry["number"] for entry in entries] == [4, 3, 2, 1]
    first, last = entries[-1], entries[0]
    for entry in entries:
        del entry["number"], entry["ms"], entry["response"]["headers"]["RateLimit-Remaining"]
    assert last == first
    assert last["matched"] == {"kind": "recorded", "name": "documented_example"}


def test_a_journal_is_cleared_of_repeated_answers_too(mock):
    assert repeats(mock)
    mock.delete("/__mock/journal")
    mock.get(KNOWN)

    assert mock.get("/__mock/journal").json()["total"] == 1


def test_beyond_the_limit_they_are_refused_like_all_others(over_http, clock):
    settings = Settings(rate_limit="enforce", rate_policy=RatePolicy(3, 60))
    mock = over_http(build_app(settings, clock=clock))

    statuses = [mock.get(KNOWN).status_code for _ in range(5)]
    clock.advance(60)
    statuses.append(mock.get(KNOWN).status_code)

    assert statuses == [200, 200, 200, 429, 429, 200]


@pytest.mark.parametrize(
    ("encoding", "open_"),
    [("gzip", gzip.decompress), ("zstd", lambda body: zstandard.decompress(body))],
)
def test_a_compressed_answer_is_the_same_one_smaller(mock, encoding, open_):
    plain = mock.get(KNOWN, headers={"Accept-Encoding": "identity"})
    assert repeats(mock, **{"Accept-Encoding": encoding})

    with mock.stream("GET", KNOWN, headers={"Accept-Encoding": encoding}) as response:
        body = b"".join(response.iter_raw())

    assert response.headers["Content-Encoding"] == encoding
    assert response.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert response.headers["ETag"] != plain.headers["ETag"]
    assert int(response.headers["Content-Length"]) == len(body) < len(plain.content)
    if encoding == "gzip":
        assert body[4:8] == bytes(4)  # no time of day, which would make equal responses differ
    assert open_(body) == plain.content


def test_an_answer_that_is_to_be_cut_off_is_not_compressed(mock):
    mock.post("/__mock/faults", json={"kind": "malformed"})

    response = mock.get(KNOWN, headers={"Accept-Encoding": "gzip"})

    assert "Content-Encoding" not in response.headers
    with pytest.raises(json.JSONDecodeError):
        response.json()


def test_memory_is_bounded_whatever_is_read(over_http, clock):
    app = build_app(Settings(cache_mb=1), clock=clock)
    mock = over_http(app)
    rows = [
        row
        for page in range(1, 4)
        for row in mock.get(
            "/v1/workflows/wf_abc123/executions", params={"page": page, "page_size": 100}
        ).json()["data"]["executions"]
    ]

    sizes = []
    for row in rows:
        mock.get(f"/v1/workflows/wf_abc123/executions/{row['run_id']}")
        sizes.append(app.wsgi_app._bytes)

    assert max(sizes) <= 2**20
    assert sizes[-1] == sum(cached.size for cached in app.wsgi_app._cached.values())
    assert len(app.wsgi_app._cached) < len(rows)


def test_the_journal_holds_no_more_of_a_repeated_answer_than_of_another(over_http, clock):
    app = build_app(Settings(), clock=clock)
    mock = over_http(app)
    large = max((one.execution for one in load_recordings()), key=lambda run: len(str(run)))
    path = f"/v1/workflows/{large['workflow_id']}/executions/{large['run_id']}"
    assert repeats(mock, path, **{"Accept-Encoding": "identity"})

    for passed in app.extensions[JOURNAL].newest(""):
        assert len(passed.response_body) <= MAX_BODY_BYTES < passed.response_length
    held = [one[2] for one in app.extensions[JOURNAL]._stored if isinstance(one, tuple)]
    assert held
    assert all(len(message.body) <= MAX_BODY_BYTES for message in held)


def test_no_thread_repeats_what_another_has_changed(start_server):
    url = start_server().url

    def ids() -> set[str]:
        def read(_: int) -> str:
            response = httpx.get(url + KNOWN, headers=DEMO, verify=NO_TLS)
            return (
                response.json()["data"]["id"] if response.is_success else str(response.status_code)
            )

        with ThreadPoolExecutor(8) as pool:
            return set(pool.map(read, range(40)))

    seen = [ids()]
    for number in range(5):
        httpx.patch(url + RUN_PATH, json={"id": f"exec_{number}"})
        seen.append(ids())
    httpx.delete(url + RUN_PATH)
    seen.append(ids())
    httpx.post(f"{url}/__mock/reset")
    seen.append(ids())

    assert seen == [seen[0], *({f"exec_{number}"} for number in range(5)), {"404"}, seen[0]]
    assert len(seen[0]) == 1


def test_a_served_answer_that_is_repeated_is_the_one_of_the_application(start_server):
    """A cached response bypasses WSGI; its status, headers and body are the same."""
    cached, uncached = (start_server("--cache-mb", number).url for number in ("64", "0"))

    def responses(url, headers):
        for _ in range(3):
            response = httpx.get(url + KNOWN, headers={**DEMO, **headers}, verify=NO_TLS)
            message = {**response.headers, "date": "", "ratelimit-reset": ""}
            yield response.status_code, list(message.items()), response.content

    tag = httpx.get(cached + KNOWN, headers=DEMO).headers["ETag"]
    assert httpx.get(uncached + KNOWN, headers=DEMO).headers["ETag"] == tag
    for headers in ({}, {"If-None-Match": tag}, {"Origin": "http://localhost:5173"}):
        assert list(responses(cached, headers)) == list(responses(uncached, headers))
    journaled = [httpx.get(f"{url}/__mock/journal").json()["entries"] for url in (cached, uncached)]
    one, other = ([_without_times(entry) for entry in entries] for entries in journaled)
    assert one == other


def _without_times(entry):
    entry["request"]["headers"].pop("host")
    entry["response"]["headers"].pop("RateLimit-Reset")
    return {name: value for name, value in entry.items() if name not in {"time", "ms"}}


def test_a_restart_with_another_key_or_state_repeats_nothing_old(start_server, tmp_path):
    state = ("--state", str(tmp_path / "state.sqlite"))
    first = start_server(*state)
    for _ in range(3):
        assert httpx.get(first.url + KNOWN, headers=DEMO).status_code == 200
    httpx.patch(first.url + RUN_PATH, json={"id": "exec_changed"})
    first.stop(signal.SIGKILL)

    second = start_server(*state, "--api-key", OTHER_KEY)

    old = [httpx.get(second.url + KNOWN, headers=DEMO).status_code for _ in range(3)]
    new = [httpx.get(second.url + KNOWN, headers={"x-api-key": OTHER_KEY}) for _ in range(3)]
    assert old == [401, 401, 401]
    assert {response.json()["data"]["id"] for response in new} == {"exec_changed"}
