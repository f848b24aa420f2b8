"""The progress bar of `deadringer generate`: rate and time left, where a person watches."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


@contextmanager
def shown_progress(size: int, label: str) -> Iterator[Callable[[int], None]]:
    """Give what is told how many are done; it draws nothing where nobody would see it."""
    is_drowned = label == "-" and sys.stdout.isatty()
    if not sys.stderr.isatty() or is_drowned:
        yield lambda _done: None
        return
    rate = _Rate()
    with click.progressbar(
        length=size, label=label, file=sys.stderr, show_pos=True, item_show_func=rate.told
    ) as bar:

        def progress(done: int) -> None:
            rate.take(done)
            bar.update(done - bar.pos, done)

        yield progress


class _Rate:
    """Executions a second since the first report, which tells what was there before."""

    def __init__(self) -> None:
        self._began_at_s = time.monotonic()
        self._before = 0
        self._done: int | None = None

    def take(self, done: int) -> None:
        """Note how many are done."""
        if self._done is None:
            self._before = done
        self._done = done

    def told(self, _item: int | None) -> str | None:
        """Give the rate as text."""
        elapsed_s = time.monotonic() - self._began_at_s
        made = (self._done or 0) - self._before
        return f"{made / elapsed_s:,.0f}/s" if made and elapsed_s > 0 else None
