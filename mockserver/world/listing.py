"""The order of a workflow's runs: a few in memory among very many that are generated."""

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


class Listing:
    """Runs in one order, newest first: those in memory, and the world's window without its gaps.

    The cost of a page grows with the number of runs in memory and of gaps, not with the window.
    `newest_at` returns the number of the world's newest run at a time.
    """

    def __init__(
        self,
        held: Sequence[Held],
        window: Window,
        gaps: Iterable[int],
        newest_at: Callable[[int], int],
    ) -> None:
        self._parts = list(_parts(held, window, sorted(gaps, reverse=True), newest_at))
        self.count = sum(1 if isinstance(part, Held) else part.count for part in self._parts)

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
    held: Sequence[Held], window: Window, gaps: Sequence[int], newest_at: Callable[[int], int]
) -> Iterator[_Part]:
    newest = window.newest
    cuts: list[tuple[int, Held | None]] = [(gap, None) for gap in gaps]
    # A run in memory precedes the newest run that the world has at the same time.
    cuts += [(newest_at(one.started_at), one) for one in held]
    cuts.sort(key=lambda cut: (-cut[0], cut[1] is None, -(cut[1].started_at if cut[1] else 0)))
    for number, one in cuts:
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
