"""One thread takes requests at a time; it makes room while it waits for a body."""

import queue
import threading
from collections.abc import Callable

import pytest

from mockserver.calling import caller_of
from mockserver.takers import Takers

WAIT_S = 10


@pytest.fixture
def takers():
    return Takers()


@pytest.fixture
def start(takers):
    """Start a thread that waits for the place and says so when it has it; `end` lets it leave."""
    told: queue.Queue = queue.Queue()

    def begin() -> tuple[threading.Thread, threading.Event]:
        end = threading.Event()

        def run() -> None:
            takers.stay()
            told.put(end)
            end.wait(WAIT_S)
            takers.leave()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread, end

    begin.told = told
    return begin


def test_who_holds_the_place_goes_on_and_all_others_stand_by(takers, start):
    takers.stay()
    takers.stay()
    for _ in range(3):
        start()

    with pytest.raises(queue.Empty):
        start.told.get(timeout=0.2)


def test_whoever_leaves_lets_one_other_take_over(takers, start):
    takers.stay()
    threads = [start() for _ in range(3)]
    takers.leave()

    for _ in threads:
        end = start.told.get(timeout=WAIT_S)
        with pytest.raises(queue.Empty):
            start.told.get(timeout=0.1)
        end.set()
    for thread, _ in threads:
        thread.join(WAIT_S)
        assert not thread.is_alive()


def test_leaving_without_the_place_takes_it_from_nobody(takers, start):
    start()
    start.told.get(timeout=WAIT_S)
    takers.leave()
    start()

    with pytest.raises(queue.Empty):
        start.told.get(timeout=0.2)


class Asked:
    """What Granian gives with a request: where to answer."""

    def __init__(self) -> None:
        self.is_answered = threading.Event()

    def response_bytes(self, *_answer: object) -> None:
        self.is_answered.set()


def test_a_thread_beside_the_one_that_takes_requests_answers_what_it_has_and_stands_by():
    def answer(environ: dict, start_response: Callable) -> list[bytes]:
        start_response("200 OK", [])
        return [b""]

    call = caller_of(answer, None)
    scope = {"REQUEST_METHOD": "GET", "wsgi.input": None}
    first, second = Asked(), Asked()
    call(first, dict(scope))
    beside = threading.Thread(target=call, args=(second, dict(scope)), daemon=True)
    beside.start()

    assert first.is_answered.wait(WAIT_S)
    assert second.is_answered.wait(WAIT_S)
    beside.join(0.2)
    assert beside.is_alive()
