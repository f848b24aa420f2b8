"""Requests a second of all servers, side by side."""

import contextlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from . import wrk
from .body import KEY_HEADER, ApiResponse, write_files
from .contestants import ASGI, FLASK, OURS, OURS_FULL, Contestant, alone, contestants
from .processes import Running, WrongResponseError, process_tree_cpu_s
from .samples import Sample, interleaved

_OWN_SERVER = {ASGI, FLASK, OURS, OURS_FULL}


@dataclass
class Field:
    """The running servers, and why the others are absent."""

    response: ApiResponse
    folder: Path
    running: dict[str, Running] = field(default_factory=dict)
    python: dict[str, Contestant] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    cpu_s: dict[str, list[float]] = field(default_factory=dict)
    """Processor seconds of a request, by server: one figure a round."""


@contextmanager
def everyone(response: ApiResponse, wanted: list[Contestant] | None = None) -> Iterator[Field]:
    """Start every server and check its response; idle servers do not slow down the others."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        ready = Field(response, Path(name))
        write_files(ready.folder, response)
        for one in contestants() if wanted is None else wanted:
            reason = one.missing()
            if reason is None:
                reason = _entered(stack, ready, one)
            if reason is not None:
                ready.absent[one.name] = reason
        yield ready


def _entered(stack: contextlib.ExitStack, ready: Field, one: Contestant) -> str | None:
    try:
        ready.running[one.name] = stack.enter_context(alone(one, ready.folder, ready.response))
        if one.name in _OWN_SERVER:
            ready.python[one.name] = one
    except (WrongResponseError, OSError) as error:
        return str(error)
    return None


def requests_per_second(
    ready: Field, *, seconds: int, rounds: int, warm_up_s: int
) -> dict[str, Sample]:
    """Load each server in turn, after an uncounted warm-up.

    Servers based on ours are restarted for each round, because memory layout changes their
    throughput by a tenth from process to process.
    """

    def once(name: str, running: Running) -> float | None:
        try:
            if name not in ready.python:
                return _loaded(ready, name, running, seconds)
            with alone(ready.python[name], ready.folder, ready.response) as fresh:
                wrk.load(fresh.url, 1, [KEY_HEADER])
                return _loaded(ready, name, fresh, seconds)
        except WrongResponseError as error:
            ready.absent[name] = str(error)
            return None

    for name, running in list(ready.running.items()):
        try:
            wrk.load(running.url, warm_up_s, [KEY_HEADER])
        except WrongResponseError as error:
            ready.absent[name] = str(error)
            del ready.running[name]
    measures = {
        name: lambda name=name, running=running: once(name, running)
        for name, running in ready.running.items()
    }
    return interleaved(measures, rounds)


def _loaded(ready: Field, name: str, running: Running, seconds: int) -> float:
    """Return the requests a second, and note the processor time of each.

    A closed loop may leave both sides waiting for each other; processor time shows what a request
    costs whichever way it goes.
    """
    before_s = process_tree_cpu_s(running.process.pid)
    per_second = wrk.load(running.url, seconds, [KEY_HEADER]).per_second
    spent_s = process_tree_cpu_s(running.process.pid) - before_s
    ready.cpu_s.setdefault(name, []).append(spent_s / (per_second * seconds))
    return per_second
