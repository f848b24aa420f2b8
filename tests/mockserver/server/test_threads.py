"""The threads that make responses: as many as there was work at once, and few arenas of malloc."""

import asyncio
import os
import platform
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

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


COUNT_ARENAS = """
import ctypes, sys, threading
from deadringer.mockserver.cli.serve import _share_arenas

_share_arenas()
barrier = threading.Barrier(12)

def hold():
    held = bytearray(100_000)
    barrier.wait(10)

threads = [threading.Thread(target=hold) for _ in range(12)]
[one.start() for one in threads]
[one.join() for one in threads]
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
stream = ctypes.c_void_p(libc.fopen(b"/dev/stdout", b"w"))
libc.malloc_info(0, stream)
libc.fflush(stream)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has arenas by thread")
@pytest.mark.parametrize(("chosen", "arenas"), [(None, 2), ("3", 3)])
def test_threads_share_few_arenas_unless_the_environment_says_how_many(chosen, arenas):
    environment = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
    if chosen:
        environment["MALLOC_ARENA_MAX"] = chosen
    command = [sys.executable, "-c", COUNT_ARENAS]

    shown = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=True
    ).stdout

    assert shown.count("<heap nr=") == arenas
