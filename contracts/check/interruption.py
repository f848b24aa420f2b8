"""Ctrl-C and SIGTERM during a check: it ends soon, and what was found so far is reported."""

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM") if hasattr(signal, name))
_Handler = Callable[[int, FrameType | None], Any] | int | None


class Interruption:
    """Handlers for SIGINT and SIGTERM while the block runs; `signal` is what came, 0 if nothing.

    The first signal raises KeyboardInterrupt and restores the previous handlers for the second. A
    signal that the process ignores stays ignored.
    """

    def __init__(self) -> None:
        self.signal = 0
        self._before: dict[int, _Handler] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                before = signal.getsignal(number)
                if before not in {signal.SIG_IGN, None}:
                    self._before[number] = before
                    signal.signal(number, self._interrupt)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._restore()

    def require_none(self) -> None:
        """Raise KeyboardInterrupt if a signal came; other code may have caught the first one."""
        if self.signal:
            raise KeyboardInterrupt

    def _interrupt(self, number: int, _frame: FrameType | None) -> None:
        self.signal = number
        self._restore()
        raise KeyboardInterrupt

    def _restore(self) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
        self._before.clear()


def signal_name(number: int) -> str:
    """Return how people call a signal."""
    name = signal.Signals(number).name
    return f"Ctrl-C ({name})" if name == "SIGINT" else name
