"""Threads share few arenas of malloc, so that memory does not rise with their number."""

import os
import platform
import subprocess
import sys

import pytest

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
