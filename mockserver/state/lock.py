"""A state file is one server's: another would not see what this one changes."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from deadringer.mockserver.exceptions import StartError
from deadringer.mockserver.server.run import LONGEST_STOP_S

try:
    import fcntl
except ImportError:  # on Windows, where nobody is kept out
    fcntl = None  # type: ignore[assignment]

_LOOK_EVERY_S = 0.1


@contextmanager
def claimed(path: Path | None) -> Iterator[None]:
    """Keep other servers from a state file while the block runs.

    The lock is one on a file beside it, whatever name it is called by. Workers inherit it when they
    are forked, so it lasts until the last of them has ended, and those of a server that was killed
    are waited for.

    Raises:
        StartError: if another server has it.
    """
    lock = None if path is None or fcntl is None else _lock_file(path.resolve())
    if path is None or lock is None:
        yield
        return
    handle = _locked(lock, path)
    try:
        yield
    finally:
        with suppress(OSError):
            lock.unlink()
        os.close(handle)


def _lock_file(path: Path) -> Path | None:
    """Give the file to lock; None where no state file can be, which its opening will tell."""
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        return None
    return path.with_name(f"{path.name}.lock")


def _locked(lock: Path, path: Path) -> int:
    last = time.monotonic() + LONGEST_STOP_S + 1
    while True:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever had it may have removed the file after it was opened here.
            if lock.exists() and os.path.samestat(os.fstat(handle), lock.stat()):
                os.truncate(handle, 0)
                os.write(handle, str(os.getpid()).encode())
                return handle
        except BlockingIOError:
            if _is_served(handle) or time.monotonic() > last:
                os.close(handle)
                raise StartError(
                    f"Setting state: another server keeps its changes in {path}. "
                    "Stop that one, or name another file."
                ) from None
        os.close(handle)
        time.sleep(_LOOK_EVERY_S)


def _is_served(handle: int) -> bool:
    """Tell whether the server itself runs, not just workers that end."""
    number = os.pread(handle, 20, 0)
    if not number:  # it is about to say who it is
        return True
    try:
        os.kill(int(number), 0)
    except (ValueError, OSError):
        return False
    return True
