"""The order of a workflow's runs: a few in memory among very many that are generated."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from deadringer.contracts import JsonObject
from deadringer.fixtures import Window


class Held(NamedTuple):
    """A run in memory: its id, its start (ms since 1970) and a function that builds it."""

    run_id: str
    started_at: int
    execution: Callable[[], JsonObject]


Place: TypeAlias = Held | int
"""A run in the list: one in memory, or the number of a generated one."""

_Part: TypeAlias = Held | Window
_Cut: TypeAlias = tuple[int, Held | None]
"""The number of a world's run, and the run in memory that precedes it; None for a gap."""


class Listing:
    """Runs in one order, newest first: those in memory, and the world's window without its gaps.

    `held` are the `count` runs in memory, newest first; it is read once, as far as a page needs.
    The cost of a page grows with its offset and with the number of gaps, not with the window.
    `newest_at` returns the number of the world's newest run at a time.
    """

    def __init__(
        self,
        held: Iterable[Held],
        count: int,
        window: Window,
        gaps: Iterable[int],
        newest_at: Callable[[int], int],
    ) -> None:
        inside = {gap for gap in gaps if window.oldest <= gap <= window.newest}
        self._parts = _parts(held, window, sorted(inside, reverse=True), newest_at)
        self.count = count + window.count - len(inside)

    def page(self, offset: int, size: int) -> Iterator[Place]:
        """Yield up to `size` runs from `offset` on."""
        left = size
        for part in self._parts:
            count = 1 if isinstance(part, Held) else part.count
            if offset >= count:
                offset -= count
                continue
            if left <= 0:
                return
            if isinstance(part, Held):
                yield part
                left -= 1
            else:
                newest = part.newest - offset
                oldest = max(part.oldest, newest - left + 1)
                yield from range(newest, oldest - 1, -1)
                left -= newest - oldest + 1
            offset = 0


def _parts(
    held: Iterable[Held], window: Window, gaps: Sequence[int], newest_at: Callable[[int], int]
) -> Iterator[_Part]:
    newest = window.newest
    # A run in memory precedes the newest run that the world has at the same time.
    runs: Iterator[_Cut] = ((newest_at(one.started_at), one) for one in held)
    for number, one in heapq.merge(runs, ((gap, None) for gap in gaps), key=_order):
        stop = number + 1
        if newest >= stop and window.oldest <= newest:
            yield Window(max(stop, window.oldest), newest)
            newest = stop - 1
        if one is not None:
            yield one
        elif newest >= number:
            newest = number - 1
    if newest >= window.oldest:
        yield Window(window.oldest, newest)


def _order(cut: _Cut) -> tuple[int, bool]:
    number, one = cut
    return -number, one is None
