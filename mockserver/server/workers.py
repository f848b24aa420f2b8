"""Several processes that serve one socket: forked from one that keeps watch over them."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

LOG = logging.getLogger("deadringer")
MOST_BY_DEFAULT = 4
_TOO_SOON_S = 1.0
"""A worker that lives shorter than this would not live longer the next time."""
_LOOK_AGAIN_S = 0.5
_STOPPING = (signal.SIGTERM, signal.SIGINT)


def can_fork() -> bool:
    """Tell whether this system has a fork that is safe after threads of system libraries."""
    return hasattr(os, "fork") and sys.platform not in {"darwin", "win32"}


def default_workers() -> int:
    """Give one for each core this process may use, up to four; one where there is no safe fork."""
    if not can_fork():
        return 1
    return max(1, min(MOST_BY_DEFAULT, len(os.sched_getaffinity(0))))


def run_workers(
    count: int, work: Callable[[int, Callable[[], None]], None], on_ready: Callable[[], None]
) -> int:
    """Keep that many workers at work until SIGTERM or Ctrl-C; give the exit code.

    `work` gets the worker's number and what to call once it serves; it returns when its process
    is told to stop. `on_ready` is called once, when all of them serve. A worker that dies is
    replaced, unless it dies at once. Workers end when this process is gone, killed or not.
    """
    return _Watch(work, count).keep(on_ready)


class _Watch:
    def __init__(self, work: Callable[[int, Callable[[], None]], None], count: int) -> None:
        self._work = work
        self._count = count
        self._running: dict[int, tuple[int, float]] = {}
        self._is_stopping = False
        self._ready_out, self._ready_in = os.pipe()
        # Nobody writes into this one: it ends when this process does.
        self._alive_out, self._alive_in = os.pipe()

    def keep(self, on_ready: Callable[[], None]) -> int:
        for stopping in _STOPPING:
            signal.signal(stopping, self._stop)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})  # `_wait` takes it
        for number in range(self._count):
            self._start(number)
        failed = not self._await_ready()
        if failed:
            self._stop()
        elif not self._is_stopping:
            on_ready()
        while self._running:
            failed |= not self._next_end()
        return 1 if failed else 0

    def _await_ready(self) -> bool:
        """Wait for a word of each worker; tell whether all gave it."""
        os.close(self._ready_in)
        self._ready_in = -1
        words = 0
        while words < self._count:
            word = os.read(self._ready_out, 1)
            if not word:
                return self._is_stopping
            words += 1
        return True

    def _next_end(self) -> bool:
        """Wait for a worker to end and replace it; tell whether all is well."""
        try:
            process, status = _wait()
        except ChildProcessError:
            self._running.clear()
            return self._is_stopping
        if process not in self._running:
            return True
        number, began = self._running.pop(process)
        if self._is_stopping:
            return os.waitstatus_to_exitcode(status) in {0, *(-one for one in _STOPPING)}
        code = os.waitstatus_to_exitcode(status)
        if time.monotonic() - began < _TOO_SOON_S:
            LOG.error("Worker %d ended at once (%d): the server stops.", number, code)
            self._stop()
            return False
        LOG.error("Worker %d ended (%d) and is replaced.", number, code)
        self._start(number)
        return True

    def _stop(self, number: int = signal.SIGTERM, _frame: object = None) -> None:
        """Pass on SIGTERM; to hurry up, a Ctrl-C that comes again."""
        passed_on = number if self._is_stopping else signal.SIGTERM
        self._is_stopping = True
        for process in list(self._running):
            with suppress(ProcessLookupError):  # it has ended, and is about to be noticed
                os.kill(process, passed_on)

    def _start(self, number: int) -> None:
        # A signal in between must not meet a worker that nobody knows, nor reach our handler in it.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
        if self._is_stopping:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
            return
        process = os.fork()
        if process == 0:
            self._become_worker(number)
        self._running[process] = (number, time.monotonic())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)

    def _become_worker(self, number: int) -> NoReturn:
        code = 1
        try:
            for one in _STOPPING:
                signal.signal(one, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {*_STOPPING, signal.SIGCHLD})
            os.close(self._alive_in)
            threading.Thread(target=self._end_with_parent, name="parent", daemon=True).start()
            self._work(number, self._tell_ready)
            code = 0
        except Exception:
            LOG.exception("Worker %d failed.", number)
        finally:
            sys.stderr.flush()
            os._exit(code)

    def _tell_ready(self) -> None:
        if self._ready_in >= 0:  # one that replaces another is not waited for
            os.write(self._ready_in, b"!")
            os.close(self._ready_in)

    def _end_with_parent(self) -> None:
        os.read(self._alive_out, 1)
        os.kill(os.getpid(), signal.SIGTERM)


def _wait() -> tuple[int, int]:
    """Give the process that ended and its status, as `os.wait`, but let signal handlers run.

    One that comes just before a process begins to wait is not noticed until it looks again.

    Raises:
        ChildProcessError: if there is none to wait for.
    """
    while True:
        process, status = os.waitpid(-1, os.WNOHANG)
        if process:
            return process, status
        signal.sigtimedwait([signal.SIGCHLD], _LOOK_AGAIN_S)
