"""Several workers on one port: one world, whichever of them answers."""

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from deadringer.mockserver import DEMO_KEY
from deadringer.mockserver.server.workers import can_fork
from deadringer.mockserver.state.shared_numbers import SharedNumber, SharedWindows, make_lock
from tests.machine import NO_TLS
from tests.mockserver.conftest import DEMO, KNOWN, children_of

pytestmark = pytest.mark.skipif(not can_fork(), reason="workers need a fork, and /proc to see them")
WORKERS = 3
READS = 60


def wait_until(is_so: Callable[[], bool]) -> None:
    for _ in range(400):
        if is_so():
            return
        time.sleep(0.05)
    raise AssertionError("it never came to be so")


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture(scope="module")
def mock(start_server):
    """A server of several workers; each request comes on a connection of its own."""
    server = start_server("--workers", str(WORKERS))
    assert len(children_of(server.process.pid)) == WORKERS
    return server


@pytest.fixture(autouse=True)
def start_state(mock):
    yield
    httpx.post(f"{mock.url}/__mock/reset")


def ask(mock, path=KNOWN, method="GET", **how) -> httpx.Response:
    return httpx.request(method, mock.url + path, headers=DEMO, verify=NO_TLS, **how)


def at_once(mock, count=READS, path=KNOWN) -> list[httpx.Response]:
    """Ask with several connections open at a time, so that every worker gets its share."""
    with ThreadPoolExecutor(12) as pool:
        return list(pool.map(lambda _: ask(mock, path), range(count)))


def test_an_acknowledged_change_is_seen_by_every_worker(mock):
    def statuses() -> set[int]:
        return {answer.status_code for answer in at_once(mock, 30)}

    seen = [statuses()]
    ask(mock, "/__mock/faults", "POST", json={"kind": "status", "status": 503})
    seen.append(statuses())
    ask(mock, "/__mock/reset", "POST")
    seen.append(statuses())

    assert seen == [{200}, {503}, {200}]


def test_three_faults_are_three_faults_however_they_meet_the_workers(mock):
    ask(mock, "/__mock/faults", "POST", json={"kind": "status", "status": 503, "count": 3})

    statuses = [answer.status_code for answer in at_once(mock)]

    assert statuses.count(503) == 3


def test_one_window_counts_what_all_workers_answer(mock, start_server):
    mock = start_server("--workers", str(WORKERS))

    remaining = sorted(int(answer.headers["RateLimit-Remaining"]) for answer in at_once(mock))

    assert remaining == list(range(100 - READS, 100))


def test_one_journal_holds_what_all_workers_answered(mock):
    ask(mock, "/__mock/journal", "DELETE")
    at_once(mock)

    totals = {ask(mock, "/__mock/journal?limit=0").json()["total"] for _ in range(12)}
    entries = ask(mock, "/__mock/journal?limit=100").json()["entries"]
    numbers = [entry["number"] for entry in entries]
    verified = ask(mock, "/__mock/verify", "POST", json={"path": KNOWN, "exactly": READS})

    assert totals == {READS}
    assert numbers == sorted(set(numbers), reverse=True)
    assert verified.status_code == 200
    ask(mock, "/__mock/journal", "DELETE")
    assert {ask(mock, "/__mock/journal").json()["total"] for _ in range(12)} == {0}


def test_every_worker_says_the_same_of_an_answer_and_knows_who_asked(mock):
    asking = {"X-Mock-Session": "asks-once"}
    httpx.put(f"{mock.url}/__mock/contract-faults/duration-in-seconds", headers=asking)
    httpx.get(mock.url + KNOWN, headers={**DEMO, **asking})
    httpx.delete(f"{mock.url}/__mock/contract-faults", headers=asking)
    for _ in range(2):
        httpx.get(mock.url + KNOWN, headers={**DEMO, "X-Mock-Session": "only-asks"})

    read = [httpx.get(f"{mock.url}/__mock/journal", headers=asking).text for _ in range(12)]
    shown = [ask(mock, "/__mock/ui/runs").text for _ in range(12)]

    assert len(set(read)) == 1
    assert "duration_is_end_minus_start" in read[0]
    assert all('<option value="only-asks">' in page for page in shown)


def test_a_started_run_is_read_from_every_worker(mock):
    run = ask(mock, "/__mock/workflows/wf_abc123/runs", "POST", json={"drive": "read"}).json()

    seen = [ask(mock, run["path"]).json()["data"]["status"] for _ in range(12)]

    assert (seen[0], seen[-1]) == ("running", "completed")
    assert seen == sorted(seen, reverse=True)


def test_a_promise_is_broken_in_one_way_by_all_workers(mock):
    ask(mock, "/__mock/contract-faults/remaining-rises", "PUT")

    remaining = [ask(mock).headers["RateLimit-Remaining"] for _ in range(20)]

    assert [int(one) for one in remaining] == list(range(11, 31))


def test_a_worker_that_is_killed_is_replaced(start_server):
    mock = start_server("--workers", "2")
    before = children_of(mock.process.pid)
    time.sleep(1.2)  # one that ended within a second of its start would stop the server

    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: len(children_of(mock.process.pid) - {victim}) == 2)

    assert {answer.status_code for answer in at_once(mock, 30)} == {200}
    assert "is replaced" in mock.log
    assert mock.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_all_workers_end_with_the_server(start_server, number):
    mock = start_server("--workers", "2")
    workers = children_of(mock.process.pid)

    assert mock.stop(number) == 0
    assert not any(is_alive(one) for one in workers)


def test_workers_end_when_the_server_is_killed(start_server):
    mock = start_server("--workers", "2")
    workers = children_of(mock.process.pid)

    mock.stop(signal.SIGKILL)

    wait_until(lambda: not any(is_alive(one) for one in workers))
    address = mock.url.removeprefix("http://").split(":")
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind((address[0], int(address[1])))


def test_a_server_told_to_stop_while_it_starts_stops():
    """The first worker tells it at once, while the others are still to be forked."""
    program = """
import os, signal, sys
from deadringer.mockserver.server.workers import run_workers

def work(number, on_ready):
    if number == 0:
        os.kill(os.getppid(), signal.SIGTERM)
    signal.pause()

sys.exit(run_workers(30, work, lambda: print("ready")))
"""
    done = subprocess.run([sys.executable, "-c", program], timeout=60, capture_output=True)

    assert done.returncode == 0, done.stderr.decode()


def test_workers_inherit_no_open_state(start_server, tmp_path):
    """SQLite's locks do not cross a fork, so an inherited connection would hold none."""
    mock = start_server("--workers", "2", "--state", str(tmp_path / "state.sqlite"))

    processes = {mock.process.pid, *children_of(mock.process.pid)}
    files = [
        str(link.readlink())
        for process in processes
        for link in Path(f"/proc/{process}/fd").iterdir()
        if link.is_symlink()
    ]

    assert files
    assert {file for file in files if "state.sqlite" in file} == {f"{tmp_path}/state.sqlite.lock"}


def test_a_folder_for_sockets_with_too_long_a_name_is_one_line_and_exit_2(refused_start, tmp_path):
    long = tmp_path / ("x" * 100)
    long.mkdir()

    refused = refused_start("--port", "0", "--workers", "2", TMPDIR=str(long))

    assert refused.returncode == 2
    assert "TMPDIR" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_the_number_of_workers_is_checked(refused_start):
    refused = refused_start("--workers", "0")

    assert refused.returncode == 2
    assert "is not from 1 to 64" in refused.stderr


def test_numbers_are_counted_exactly_by_several_processes():
    lock = make_lock(2)
    number, windows = SharedNumber(lock), SharedWindows(lock, 60)

    def count() -> None:
        for _ in range(500):
            number.next()
            windows.add(DEMO_KEY, 1000.0)

    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=count) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert (number.value, windows.add(DEMO_KEY, 1000.0)) == (2000, (2001, 1060.0))


def test_a_worker_killed_with_the_lock_does_not_hold_up_the_others():
    lock = make_lock(2)
    number = SharedNumber(lock)

    def die() -> None:
        with lock:
            os._exit(77)

    process = multiprocessing.get_context("fork").Process(target=die)
    process.start()
    process.join()
    assert process.exitcode == 77  # it died with the lock, and not of anything else

    with ThreadPoolExecutor(12) as pool:
        numbers = set(pool.map(lambda _: number.next(), range(12)))
    assert numbers == set(range(1, 13))


def test_a_session_is_one_whichever_worker_answers(mock):
    for name, year in (("a", 2027), ("b", 2028)):
        body = {"now": f"{year}-01-01T00:00:00Z", "speed": 0}
        httpx.put(f"{mock.url}/__mock/clock", json=body, headers={"X-Mock-Session": name})

    def year_of(name: str) -> tuple[str, str]:
        answer = httpx.get(f"{mock.url}/__mock/clock", headers={"X-Mock-Session": name})
        return name, answer.json()["now"][:4]

    with ThreadPoolExecutor(12) as pool:
        seen = set(pool.map(year_of, "ab" * 15))

    assert seen == {("a", "2027"), ("b", "2028")}
    httpx.post(f"{mock.url}/__mock/reset?all=true")
