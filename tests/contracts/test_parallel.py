"""Several processes validate a stream with the results of one, and end with it."""

import io
import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor

import pytest

from deadringer.contracts import load_schema
from deadringer.contracts.documents import (
    Lines,
    StreamValidator,
    UnreadableError,
    validate_stream,
)
from deadringer.contracts.rules import Context, Settings, select

EXAMPLE = load_schema("execution")["examples"][0]
LINES = [
    json.dumps(EXAMPLE),
    json.dumps({**EXAMPLE, "duration_ms": 4}),
    "",
    json.dumps({**EXAMPLE, "next_year": 1, "status": "\ud800"}),
    '{"status": "completed", "status": "failed"}',
    "{oops}",
    "[]",
    json.dumps([EXAMPLE, {**EXAMPLE, "error": "x"}]),
]
STREAM = ("\n".join(LINES * 15) + "\n").encode()
"""Some batches, with what can go wrong in a line."""
CHOICE = {
    "context": Context(settings=Settings(strict=True)),
    "rules": select(skip=["errors"]),
}


class Failing:
    """A stream that is damaged at its end."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def readline(self, size: int = -1, /) -> bytes:
        line = self._content.readline(size)
        if not line:
            raise UnreadableError("damaged")
        return line


@pytest.fixture(scope="module")
def validator() -> Iterator[StreamValidator]:
    """Yield a validator whose two processes have begun."""
    with StreamValidator(workers=2, alone_up_to=0, batch_bytes=20_000, **CHOICE) as one:
        begin(one)
        yield one
    assert multiprocessing.active_children() == []


def begin(validator: StreamValidator) -> None:
    """Validate a stream, and wait until every process is ready for the next one."""
    list(validator.validate("first", io.BytesIO(STREAM)))
    assert [one.result(timeout=60) for one in validator._started] == [None, None]


def shown(validate: Callable, name: str, stream: Lines, **options: object) -> list[object]:
    """Return the results, and the error at the end, in a form that can be compared."""
    found: list[object] = []
    try:
        found.extend(
            str(one) if isinstance(one, UnreadableError) else one
            for one in validate(name, stream, **options)
        )
    except UnreadableError as error:
        found.append(f"raised {error}")
    return found


@pytest.mark.parametrize("kind", ["lines", "damaged", "whole", "long line", "too long a line"])
def test_the_results_are_those_of_one_process(validator: StreamValidator, kind: str) -> None:
    long = STREAM + f'{{"a": "{"x" * 300_000}"}}\n'.encode() + STREAM
    streams: dict[str, Callable[[], Lines]] = {
        "lines": lambda: io.BytesIO(STREAM),
        "damaged": lambda: Failing(STREAM),
        "whole": lambda: io.BytesIO(json.dumps([EXAMPLE], indent=1).encode()),
        "long line": lambda: io.BytesIO(long),
        "too long a line": lambda: io.BytesIO(long),
    }
    limit = {"largest": 100_000} if kind == "too long a line" else {}

    alone = shown(validate_stream, "a.ndjson", streams[kind](), **CHOICE, **limit)
    together = shown(validator.validate, "a.ndjson", streams[kind](), **limit)

    assert together == alone
    assert len(together) > 100 or kind == "whole"


def test_every_byte_is_reported_as_progress(validator: StreamValidator) -> None:
    sizes: list[int] = []

    list(validator.validate("a.ndjson", io.BytesIO(STREAM), progress=sizes.append))

    assert sum(sizes) == len(STREAM)


def test_no_process_begins_for_a_small_stream() -> None:
    before = multiprocessing.active_children()
    with StreamValidator(workers=2) as validator:
        list(validator.validate("a.ndjson", io.BytesIO(STREAM)))

        assert multiprocessing.active_children() == before


def test_a_process_that_is_killed_is_an_error() -> None:
    others = multiprocessing.active_children()
    with StreamValidator(workers=2, alone_up_to=0) as validator:
        begin(validator)
        for process in set(multiprocessing.active_children()) - set(others):
            os.kill(process.pid or 0, signal.SIGKILL)

        with pytest.raises(BrokenExecutor):
            list(validator.validate("second", io.BytesIO(STREAM)))
