"""Other responses of the mock: lists, generated and live runs, 304s, many runs, big bodies."""

import http.client
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import wrk
from .body import KEY, KEY_HEADER, ApiResponse, write_files
from .contestants import ASGI, Contestant, alone, application, own_command
from .processes import SERVER_CORE, Running, free_port, get, started
from .samples import Sample, interleaved

HEADERS = {"x-api-key": KEY}
RECORDED_RUN = "/v1/workflows/wf_abc123/executions/run_x7k9m2"
BIG = "/v1/workflows/wf_scrape5/executions/run_w5h9j3"
MANY = 10_000
PAGE = 100

SOLO = ("recorded run", "304 response", "list page", "generated run, never seen", "live run")


@contextmanager
def mock(*options: str, cores: str = SERVER_CORE) -> Iterator[Running]:
    """Run the mock, with everything on by default."""
    port = free_port()
    command = own_command(port, *options)
    with started(command, RECORDED_RUN, port=port, headers=HEADERS, cores=cores) as running:
        yield running


def solo_latencies(*, seconds: int, rounds: int) -> dict[str, Sample]:
    """Return the p50 in seconds of each kind of response, one request at a time, default world.

    Every round starts a new mock, so that nothing is cached.
    """
    taken: dict[str, list[float]] = {name: [] for name in SOLO}
    for _ in range(rounds):
        with mock() as running:
            rows = list(_rows(running.port, 10 * PAGE * PAGE))
            for name, measure in _solo(running, rows, seconds).items():
                taken[name].append(measure())
    return {name: Sample(tuple(values)) for name, values in taken.items()}


@dataclass(frozen=True)
class _Row:
    path: str
    status: str


def _rows(port: int, most: int) -> Iterator[_Row]:
    """Yield the runs of all workflows, page by page."""
    count = 0
    for workflow in _data(port, f"/v1/workflows?limit={PAGE}")["items"]:
        below = f"/v1/workflows/{workflow['id']}/executions"
        pages = _data(port, f"{below}?page_size={PAGE}")["pagination"]["total_pages"]
        for page in range(1, pages + 1):
            for row in _data(port, f"{below}?page_size={PAGE}&page={page}")["executions"]:
                yield _Row(f"{below}/{row['run_id']}", row["status"])
                count += 1
                if count >= most:
                    return


def _data(port: int, path: str):
    status, body = get(port, path, HEADERS)
    if status != 200:
        raise ConnectionError(f"{path} returned {status}.")
    return json.loads(body)["data"]


def _solo(running: Running, rows: list[_Row], seconds: int) -> dict[str, Callable[[], float]]:
    root = running.url.removesuffix(running.path)
    finished = [row.path for row in rows if row.status != "running"]
    live = [row.path for row in rows if row.status == "running"]
    page = RECORDED_RUN.rpartition("/")[0] + "?page_size=20"

    def p50(path: str, *headers: str, paths: tuple[str, ...] = (), duration: int = seconds):
        def measure() -> float:
            head = [KEY_HEADER, *headers]
            return wrk.load(root + path, duration, head, paths=paths, connections=1).p50_s

        return measure

    known = (f"If-None-Match: {etag}",) if (etag := _etag(running.port)) else ()
    return {
        "recorded run": p50(RECORDED_RUN),
        "304 response": p50(RECORDED_RUN, *known),
        "list page": p50(page),
        # One second, so that the finished runs of the world are not all read before it ends.
        "generated run, never seen": p50(RECORDED_RUN, paths=tuple(finished), duration=1),
        "live run": p50(RECORDED_RUN, paths=tuple(live)),
    }


def _etag(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", RECORDED_RUN, headers=HEADERS)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.headers.get("ETag", "")


@dataclass(frozen=True)
class ManyRuns:
    """Requests a second over one run and over many, and the memory after it."""

    one: Sample
    many: Sample
    count: int
    memory_mb: float


def many_runs(*, seconds: int, rounds: int, count: int = MANY) -> ManyRuns:
    """Compare many distinct runs in turn, cached after the first pass, with always one run."""
    with mock("--no-control", "--rate-limit", "off", "--runs-per-workflow", "1000") as running:
        paths = tuple(row.path for row in _rows(running.port, count) if row.status != "running")
        for path in paths:
            get(running.port, path, HEADERS)
        measured = interleaved(
            {
                "one": lambda: _rate(running, seconds, paths[:1]),
                "many": lambda: _rate(running, seconds, paths),
            },
            rounds,
        )
        return ManyRuns(measured["one"], measured["many"], len(paths), running.memory_mb())


def _rate(running: Running, seconds: int, paths: tuple[str, ...] = ()) -> float:
    return wrk.load(running.url, seconds, [KEY_HEADER], paths=paths).per_second


def big_bodies(*, seconds: int, rounds: int) -> tuple[Sample, Sample, int]:
    """Return (requests/s of the mock, of plain uvicorn, size in bytes) for a large body."""
    with mock("--no-control", "--rate-limit", "off") as ours, tempfile.TemporaryDirectory() as name:
        body = get(ours.port, BIG, HEADERS)[1]
        response = ApiResponse(json.loads(body))
        write_files(Path(name), response)
        Path(name, "html", "body.json").write_bytes(body)
        plain = Contestant(ASGI, application("asgi"))
        with alone(plain, Path(name), response) as reference:
            root = ours.url.removesuffix(ours.path)
            wrk.load(root + BIG, 1, [KEY_HEADER])
            measured = interleaved(
                {
                    "ours": lambda: wrk.load(root + BIG, seconds, [KEY_HEADER]).per_second,
                    "plain": lambda: _rate(reference, seconds),
                },
                rounds,
            )
    return measured["ours"], measured["plain"], len(body)
