"""Follows changes of the user's documents while the server runs."""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

from deadringer.mockserver.exceptions import StartError

from .documents import load_documents_of
from .service import Service

LOG = logging.getLogger("deadringer")
_TURN_MS = 500


def follow_changes(service: Service) -> None:
    """Watch the folders of the settings in a thread that ends with the process."""
    threading.Thread(
        target=_follow, args=(service, service.settings.fixtures), name="reload", daemon=True
    ).start()


def reload_executions(service: Service, folders: Sequence[Path]) -> None:
    """Take over what the folders hold now; what is bad is logged, and the last good state kept.

    Nothing happens where they hold what is served already.
    """
    try:
        is_new = service.take_over(load_documents_of(folders))
    except StartError as problem:
        # A bad document is not a crash: its reasons say all, a traceback would hide them.
        LOG.error(  # noqa: TRY400
            "A change was not taken over; the last good state is kept. %s", problem
        )
    except Exception:
        LOG.exception("A change could not be read; the last good state is kept.")
    else:
        if is_new:
            LOG.info("Documents changed: reloaded.")


def _follow(service: Service, folders: Sequence[Path]) -> None:
    # Costs a start some 50 ms, so only those who asked for it pay.
    from watchfiles import Change, watch

    def is_document(_change: Change, path: str) -> bool:
        return path.endswith(".json")

    is_first = True
    try:
        # The first turn comes when the watch has begun: what changed before it was not seen.
        for changes in watch(
            *folders,
            watch_filter=is_document,
            raise_interrupt=False,
            yield_on_timeout=True,
            rust_timeout=_TURN_MS,
        ):
            if changes or is_first:
                reload_executions(service, folders)
            is_first = False
    except OSError as problem:
        LOG.error(  # noqa: TRY400
            "Changes are no longer followed: %s. Restart the server.", problem
        )
