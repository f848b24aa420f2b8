"""Validate large NDJSON streams on several processes, with the results of one, in its order.

Importing multiprocessing takes longer than validating a small file, so it is imported on demand.
"""

import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Thread
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from deadringer.contracts.input_files import LARGEST_DOCUMENT
from deadringer.contracts.rules import RULES, Context, Rule

from .read import Lines, Progress, Read, UnreadableError, read_lines, read_whole, text_of
from .validate import ValidatedDocument, validate_reads

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future
    from multiprocessing.process import BaseProcess

Result: TypeAlias = ValidatedDocument | UnreadableError

_ALONE_UP_TO = 8 * 1024 * 1024
"""Bytes from which on processes are started: this many take as long as a start does."""
_BATCH = 1024 * 1024
"""Bytes of the lines that are sent to a process at once, some hundred documents."""
_WAITING_PER_WORKER = 2
"""Batches that are sent or being validated."""
_MOST_WORKERS = 61
"""More processes cannot be waited for on Windows."""


class _Batch(NamedTuple):
    """Consecutive lines of a stream with their numbers."""

    name: str
    lines: list[tuple[int, bytes]]
    size: int


class StreamValidator:
    """Validates streams as `validate_stream` does, large NDJSON on `workers` processes.

    They are started when more than `alone_up_to` bytes were read, and end with the `with` block.
    Until the first of them is ready, this process goes on alone. Memory is bounded by a few
    batches of `batch_bytes` for each process. `rules` are some of RULES.
    """

    def __init__(
        self,
        *,
        context: Context | None = None,
        rules: tuple[Rule, ...] = RULES,
        workers: int = 1,
        alone_up_to: int = _ALONE_UP_TO,
        batch_bytes: int = _BATCH,
    ) -> None:
        self._context = context or Context()
        self._rules = rules
        self._workers = min(workers, _MOST_WORKERS)
        self._alone_up_to = alone_up_to
        self._batch_bytes = batch_bytes
        self._read = 0
        self._executor: Executor | None = None
        self._started: list[Future[None]] = []

    def __enter__(self) -> "StreamValidator":
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)

    def validate(
        self,
        name: str,
        stream: Lines,
        *,
        progress: Progress = lambda _count: None,
        largest: int = LARGEST_DOCUMENT,
    ) -> Iterator[Result]:
        """Yield every document of a stream with its violations.

        Raises:
            UnreadableError: if a document has more than `largest` bytes.
            BrokenExecutor: if a process ends early, such as for want of memory.
        """
        text = text_of(name, stream, progress, largest=largest)
        if not text.is_ndjson:
            yield from self._validated(name, [read_whole(name, text.lines, largest=largest)])
            return
        lines = enumerate(text.lines, 1)
        yield from self._validated(name, read_lines(name, self._lines_for_this_process(lines)))
        if self._executor is not None:
            yield from self._in_order(self._executor, self._batches(name, lines))

    def _validated(self, name: str, reads: Iterable[Read | UnreadableError]) -> Iterator[Result]:
        return validate_reads(name, reads, self._context, self._rules)

    def _lines_for_this_process(
        self, lines: Iterator[tuple[int, bytes]]
    ) -> Iterator[tuple[int, bytes]]:
        """Yield lines until another process is ready to take the next one."""
        while not any(one.done() for one in self._started):
            pair = next(lines, None)
            if pair is None:
                return
            self._read += len(pair[1])
            if self._read > self._alone_up_to and self._workers > 1 and self._executor is None:
                self._start()
            yield pair

    def _start(self) -> None:
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context

        # Spawned on every system, for the same behaviour; a fork would inherit threads' locks.
        self._executor = ProcessPoolExecutor(
            self._workers, mp_context=get_context("spawn"), initializer=_begin_worker
        )
        with _interrupts_held():
            self._started = [self._executor.submit(_do_nothing) for _ in range(self._workers)]

    def _in_order(self, executor: "Executor", batches: Iterator[_Batch]) -> Iterator[Result]:
        names = frozenset(rule.name for rule in self._rules)
        most, waiting_bytes = self._workers * _WAITING_PER_WORKER * self._batch_bytes, 0
        waiting: deque[tuple[Future[list[Result]], int]] = deque()
        problem: UnreadableError | None = None
        try:
            for batch in batches:
                while waiting and waiting_bytes + batch.size > most:
                    done, size = waiting.popleft()
                    waiting_bytes -= size
                    yield from done.result()
                future = executor.submit(_validate_batch, batch, self._context, names)
                waiting.append((future, batch.size))
                waiting_bytes += batch.size
        except UnreadableError as error:  # of the stream, behind the lines that were read
            problem = error
        for done, _ in waiting:
            yield from done.result()
        if problem is not None:
            raise problem

    def _batches(self, name: str, lines: Iterator[tuple[int, bytes]]) -> Iterator[_Batch]:
        taken: list[tuple[int, bytes]] = []
        size = 0
        try:
            for number, line in lines:
                if taken and size + len(line) > self._batch_bytes:
                    yield _Batch(name, taken, size)
                    taken, size = [], 0
                taken.append((number, line))
                size += len(line)
        except UnreadableError:
            if taken:
                yield _Batch(name, taken, size)
            raise
        if taken:
            yield _Batch(name, taken, size)


def _validate_batch(batch: _Batch, context: Context, names: frozenset[str]) -> list[Result]:
    """Return the results of a batch by the rules of these names: rules cannot be sent."""
    rules = tuple(rule for rule in RULES if rule.name in names)
    reads = read_lines(batch.name, batch.lines)
    return list(validate_reads(batch.name, reads, context, rules))


def _do_nothing() -> None:
    """Run in a process that is ready."""


def _begin_worker() -> None:
    """Leave Ctrl-C to the process that began this one, and end when it does, however it ends."""
    from multiprocessing import parent_process

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    begun_by = parent_process()
    if begun_by is not None:
        Thread(target=_end_with, args=(begun_by,), daemon=True).start()


def _end_with(process: "BaseProcess") -> None:
    process.join()
    os._exit(1)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold back Ctrl-C; processes that are started meanwhile never get it."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
