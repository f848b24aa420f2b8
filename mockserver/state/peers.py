"""How the workers of one server ask each other: a local socket for each, in a private folder."""

import logging
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import Any

from deadringer.mockserver.exceptions import StartError

LOG = logging.getLogger("deadringer")
_WAITING = 64
_LONGEST_ADDRESS = 100
"""In bytes; systems allow 104 to 108."""


class Peers:
    """The workers of one server. Make it before they are forked; each then calls `listen`.

    Messages are our own objects between our own processes: the folder is the user's alone.

    Raises:
        StartError: if the name of the folder for temporary files is too long.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._folder = tempfile.TemporaryDirectory(prefix="deadringer-")
        self._own: int | None = None
        if len(os.fsencode(self._address(count))) > _LONGEST_ADDRESS:
            raise StartError(
                f"The folder for temporary files has too long a name for sockets: "
                f"{tempfile.gettempdir()}. Set TMPDIR to a shorter one, or serve with --workers 1."
            )

    def listen(self, number: int, answer: Callable[[Any], Any]) -> None:
        """Answer the others from here on, in a thread that ends with the process."""
        self._own = number
        address = self._address(number)
        Path(address).unlink(missing_ok=True)  # of one that was killed
        listener = Listener(address, "AF_UNIX", backlog=_WAITING)
        threading.Thread(
            target=_answer_all, args=(listener, answer), name="peers", daemon=True
        ).start()

    def ask(self, message: Any) -> list[Any]:
        """Give the answers of the other workers; one that is just being replaced says nothing."""
        return [answer for number in self._others() for answer in self._answers(number, message)]

    def close(self) -> None:
        """Remove the folder; for the process that made it."""
        self._folder.cleanup()

    def _others(self) -> Iterator[int]:
        return (number for number in range(self._count) if number != self._own)

    def _answers(self, number: int, message: Any) -> Iterator[Any]:
        with suppress(OSError, EOFError), Client(self._address(number), "AF_UNIX") as connection:
            connection.send(message)
            yield connection.recv()

    def _address(self, number: int) -> str:
        return str(Path(self._folder.name) / f"worker-{number}")


def _answer_all(listener: Listener, answer: Callable[[Any], Any]) -> None:
    while True:
        try:
            connection: Connection[Any, Any] = listener.accept()
            with connection:
                connection.send(answer(connection.recv()))
        except (OSError, EOFError):  # whoever asked has gone
            continue
        except Exception:
            LOG.exception("A worker could not answer another one.")
