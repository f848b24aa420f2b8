"""The threads that make responses: as many as there was work at once."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from deadringer.mockserver.server.threads import Threads

AT_ONCE = 4
ROUNDS = 800


async def work_off(threads, work, rounds):
    """Do as much work at once as AT_ONCE, again and again."""

    async def one_after_another():
        for _ in range(rounds):
            await threads.run(work)

    await asyncio.gather(*(one_after_another() for _ in range(AT_ONCE)))


def run(work):
    """Run a coroutine in a thread: another test may have a loop running in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def test_there_are_no_more_threads_than_there_was_work_at_once():
    used = set()

    run(work_off(Threads(most=512), lambda: used.add(threading.get_ident()), ROUNDS))

    assert 1 <= len(used) <= AT_ONCE


def test_there_are_no_more_threads_than_the_limit_and_all_work_is_done():
    used, results = set(), []

    def work():
        used.add(threading.get_ident())
        time.sleep(0.01)
        results.append(1)

    run(work_off(Threads(most=2), work, rounds=5))

    assert (len(used), len(results)) == (2, 5 * AT_ONCE)
