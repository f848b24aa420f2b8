"""`python -m benchmarks.state [--events N]`: the cost of a state file for a start, and of a reset
of all sessions.

Each figure is a ratio against a named reference of the same run: a start against one with an empty
state file, a reset of 5,000 sessions against one of a single session.
"""

import argparse
import json
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count, islice
from pathlib import Path

import httpx

from deadringer.contracts import JsonObject
from deadringer.fixtures import load_recordings
from deadringer.mockserver import Settings
from deadringer.mockserver.state.clock import SystemClock
from deadringer.mockserver.world.documents import load_executions
from deadringer.mockserver.world.service import Service
from deadringer.mockserver.world.session_cache import COMPACT_AFTER

from .contestants import own_command
from .own_responses import HEADERS, RECORDED_RUN
from .processes import free_port, started
from .samples import Sample, interleaved
from .tables import table

WORKFLOW = "wf_abc123"
SESSIONS = 5000
EMPTY = "an empty state file"
_AT_ONCE = 100_000
History = Iterator[tuple[str, str, JsonObject]]
"""Endless (session, kind, body) of events."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.state", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    requested = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(_starts(Path(folder), requested.events, requested.rounds))
        print()
        print(_resets(Path(folder), requested.rounds))


def _starts(folder: Path, events: int, rounds: int) -> str:
    """Return a table of seconds from spawning the server to its first response."""
    files = {EMPTY: folder / "empty.sqlite"}
    _service(files[EMPTY]).close()
    for name, history in HISTORIES.items():
        files[name] = folder / f"{len(files)}.sqlite"
        _write(files[name], history, events)
    samples = interleaved({name: lambda at=at: _start_s(at) for name, at in files.items()}, rounds)
    rows = [
        (name, sample.shown(2), f"{sample.median / samples[EMPTY].median:.2f}", _size(files[name]))
        for name, sample in samples.items()
    ]
    heads = (f"A start after {events:,} events", "s, median (range)", "of an empty file", "MB")
    return table(heads, rows)


def _write(state: Path, history: Callable[[Service], History], events: int) -> None:
    """Write a history as after a kill: the last events come after the last snapshots.

    Written in one transaction; one event at a time would take an hour.
    """
    print(f"writing {events:,} events to {state.name}", file=sys.stderr, flush=True)
    changes = history(Service(Settings(), load_executions(()), SystemClock()))
    for first in range(0, events, _AT_ONCE):
        _service(state).close()
        _insert(state, islice(changes, min(_AT_ONCE, events - first)))
    _service(state).close()
    _insert(state, islice(changes, COMPACT_AFTER - 10))


def _service(state: Path) -> Service:
    return Service(Settings(state=state), load_executions(()), SystemClock())


def _insert(state: Path, changes: History) -> None:
    rows = ((session, kind, json.dumps(body)) for session, kind, body in changes)
    file = sqlite3.connect(state)
    with file:
        file.executemany("INSERT INTO events (session, kind, body) VALUES (?, ?, ?)", rows)
    file.close()


def _start_s(state: Path) -> float:
    port = free_port()
    # A server that is stopped leaves nothing to repeat; each start is to find what a kill leaves.
    killed = shutil.copy(state, state.with_suffix(".killed"))
    command = own_command(port, "--state", str(killed))
    with started(command, RECORDED_RUN, port=port, headers=HEADERS, cores="0,1") as running:
        return running.start_s


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 2**20:.1f}"


def _many_tests(service: Service) -> History:
    """Yield the events of test suites: each test uses its own session and resets it."""
    for number, (kind, body) in enumerate(_changes(service)):
        name = f"suite-{number // 40 % 200}"
        yield (name, "reset", {}) if number % 40 == 39 else (name, kind, body)


def _many_sessions(service: Service) -> History:
    """Yield permanent changes of 2,000 sessions, twice as many as memory holds."""
    for number, (kind, body) in enumerate(_changes(service)):
        yield f"session-{number // 500 % 2000}", kind, body


def _one_session(service: Service) -> History:
    """Yield permanent changes of the default session."""
    return (("", kind, body) for kind, body in _changes(service))


def _runs_alone(service: Service) -> History:
    """Yield started runs of the default session only, all of them permanent."""
    body = _started(service)
    return (("", "started", {**body, "run_id": f"run_{number:016x}"}) for number in count())


def _changes(service: Service) -> Iterator[tuple[str, JsonObject]]:
    """Yield endless changes: one in ten starts a run."""
    execution = next(one.execution for one in load_recordings())
    ids = {"workflow_id": execution["workflow_id"]}
    body = _started(service)
    clock = service.session_clock().as_json()
    for number in count():
        run_id = f"run_{number:016x}"
        put = {**ids, "run_id": f"run_{number % 50}"}
        yield "started", {**body, "run_id": run_id, "drive": "manual"}
        yield "moved", {"run_id": run_id, "transitions": 1}
        yield "put", {**put, "execution": {**execution, **put}}
        yield "put", {**put, "execution": None}
        yield "clock", clock
        yield "fault", {"id": "fault", "kind": "status", "status": 503}
        yield "fault_removed", {"id": None}
        yield "chaos", {"value": ""}
        yield "contract_faults", {"value": ["remaining-rises"]}
        yield "contract_faults", {"value": []}


def _started(service: Service) -> JsonObject:
    """Return the body of a `started` event."""
    return service.start_run(service.snapshot(), WORKFLOW, {}).body


HISTORIES: dict[str, Callable[[Service], History]] = {
    "200 sessions, reset every 40": _many_tests,
    "2,000 sessions, one event in ten a run": _many_sessions,
    "one session, one event in ten a run": _one_session,
    "one session, every event a run": _runs_alone,
}


def _resets(folder: Path, rounds: int) -> str:
    """Return a table of seconds that resets take over HTTP."""
    taken: dict[str, list[float]] = {}
    for where, options in (
        ("in memory", ("--max-sessions", str(2 * SESSIONS))),
        ("in a state file", ("--state", str(folder / "sessions.sqlite"))),
    ):
        port = free_port()
        command = own_command(port, *options)
        with (
            started(command, RECORDED_RUN, port=port, headers=HEADERS, cores="0,1"),
            httpx.Client(base_url=f"http://127.0.0.1:{port}/__mock/", timeout=60) as mock,
        ):
            for _ in range(rounds):
                for number in range(SESSIONS):
                    named = {"X-Mock-Session": f"s{number}"}
                    mock.put("chaos", json={"profile": "maintenance"}, headers=named)
                for name, path in (("one session", "reset"), ("all", "reset?all=true")):
                    begin = time.perf_counter()
                    mock.post(path).raise_for_status()
                    seconds = time.perf_counter() - begin
                    taken.setdefault(f"{name}, {where}", []).append(seconds)
    samples = {name: Sample(tuple(values)) for name, values in taken.items()}
    rows = [
        (name, sample.shown(1, 1000), f"{sample.median / _reference(samples, name):.2f}")
        for name, sample in samples.items()
    ]
    heads = (f"A reset among {SESSIONS:,} sessions", "ms, median (range)", "of one session")
    return table(heads, rows)


def _reference(samples: dict[str, Sample], name: str) -> float:
    return samples[f"one session, {name.partition(', ')[2]}"].median


if __name__ == "__main__":
    main()
