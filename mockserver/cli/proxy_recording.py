"""What `deadringer proxy` records and replays, and what it prints about that."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deadringer.contracts import escaped, printable
from deadringer.contracts.check import OptionError, ReportError
from deadringer.mockserver.exceptions import StartError

if TYPE_CHECKING:
    from collections.abc import Callable

    from deadringer.contracts import Exchange
    from deadringer.mockserver.proxy.recording import TrafficRecording
    from deadringer.mockserver.proxy.replay import Replay
    from deadringer.mockserver.proxy.upstream import Upstream

OFFLINE_URL = "http://upstream.invalid"
"""In place of UPSTREAM where every response comes from a recording."""


class Recorder:
    """The recording of one run of the proxy; `failed` if it could not be written."""

    def __init__(self, folder: Path | None, *, is_raw: bool) -> None:
        """Prepare the folder.

        Raises:
            OptionError: if there is nothing to record into.
            StartError: if the folder cannot be used.
        """
        from deadringer.mockserver.proxy.recording_folder import RecordingFolder

        if is_raw and folder is None:
            raise OptionError("--no-sanitize needs --record DIR: the folder to record into.")
        self._is_raw = is_raw
        self._folder = RecordingFolder(folder) if folder else None
        self.failed = False

    @contextmanager
    def observer(self, upstream: "Upstream") -> Iterator["tuple[Callable[[Exchange], None], ...]"]:
        """Yield what is to observe the exchanges, if anything; at the end print a summary."""
        if self._folder is None:
            yield ()
            return
        from deadringer.fixtures import Sanitizer
        from deadringer.mockserver.proxy.recording import TrafficRecording

        recording = TrafficRecording(
            self._folder,
            upstream.base_url,
            None if self._is_raw else Sanitizer(),
            access=upstream.access,
            epoch_s=time.time() - time.monotonic(),
        )
        self._announce(self._folder.path, replaces=self._folder.replaces)
        has_served = True
        try:
            yield (recording.observe,)
        except StartError:
            has_served = False
            raise
        finally:
            if has_served:
                self._close(recording)

    def _close(self, recording: "TrafficRecording") -> None:
        try:
            _print(*recording.close().lines)
        except ReportError as error:
            self.failed = True
            _print(f"deadringer proxy: {error}")

    def _announce(self, folder: Path, *, replaces: bool) -> None:
        if replaces:
            _print(f"The recording in {folder} is replaced at the first response.")
        if self._is_raw:
            _print(
                f"Warning: {folder} will hold personal and secret values as they are. Do not "
                "commit it; `deadringer sanitize` replaces them."
            )


def load_replay(place: Path | None, base_url: str | None, record: Path | None) -> "Replay | None":
    """Return the recording to respond from, None if there is none; print what it cannot replay.

    Raises:
        OptionError: if there is neither an upstream nor a recording, or one folder is both replayed
            and recorded into, or nothing would be recorded.
        StartError: if the recording cannot be used.
    """
    if base_url is None and place is None:
        raise OptionError(
            "UPSTREAM is missing: specify the URL of a server, or a recording with --replay DIR."
        )
    if base_url is None and record is not None:
        raise OptionError("--record needs UPSTREAM: the URL of the server to record.")
    if place is None:
        return None
    if record is not None and place.resolve() == record.resolve():
        raise OptionError("--record and --replay name the same folder. Record into another one.")
    from deadringer.mockserver.proxy.replay import Replay

    replay = Replay.load(place, always=base_url is None)
    if replay.left_out:
        _print(
            f"{replay.left_out} responses in {place} have no body: it was not recorded, or the "
            "client had it cached. To replay them, record again with an empty cache."
        )
    return replay


def print_replayed(replay: "Replay") -> None:
    """Print how many requests the recording responded to, which the report does not hold."""
    _print(f"Requests passed to the recording: {replay.responses}. They are not in the report.")


def _print(*lines: str) -> None:
    for line in lines:
        click.echo(escaped(printable(line)), err=True)
