"""Threads that run the application, and hand their results to the event loop."""

import asyncio
import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

LOG = logging.getLogger("deadringer")


class Threads:
    """Start as they are needed, up to so many; the process does not wait for them when it ends.

    There are never more than there was work at once: the event loop alone counts it. The process
    would wait for the threads of `ThreadPoolExecutor`, so one stuck request could keep it from
    ending.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._started = 0
        self._unfinished = 0
        self._work: SimpleQueue[Callable[[], None]] = SimpleQueue()

    async def run(self, function: Callable[[], Any]) -> Any:
        """Return what a function returns, or raise what it raises, in the next free thread."""
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()

        def work() -> None:
            result, failure = None, None
            try:
                result = function()
            except BaseException as raised:
                failure = raised
            try:
                loop.call_soon_threadsafe(settle, result, failure)
            except RuntimeError:  # the loop is closed
                LOG.warning("A response came too late: the server has stopped.")

        def settle(result: Any, failure: BaseException | None) -> None:
            self._unfinished -= 1
            if not ended.done():  # it was cancelled
                ended.set_result((result, failure))

        self._submit(work)
        result, failure = await ended
        if failure is not None:
            raise failure
        return result

    def _submit(self, work: Callable[[], None]) -> None:
        self._work.put(work)
        self._unfinished += 1
        if self._unfinished <= self._started or self._started >= self._most:
            return
        try:
            threading.Thread(target=self._serve, name="response", daemon=True).start()
            self._started += 1
        except RuntimeError:  # the system grants no more; the others do it
            if not self._started:
                raise

    def _serve(self) -> None:
        while True:
            work = self._work.get()
            work()
            del work  # and with it the last request, while this thread waits
