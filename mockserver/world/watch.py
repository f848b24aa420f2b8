"""Reload the user's documents when they change while the server runs."""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

from deadringer.mockserver.exceptions import StartError

from .documents import load_executions
from .service import Service

LOG = logging.getLogger("deadringer")
_TURN_MS = 500


def follow_changes(service: Service) -> None:
    """Watch the fixtures folders in a daemon thread."""
    threading.Thread(
        target=_follow, args=(service, service.settings.fixtures), name="reload", daemon=True
    ).start()


def reload_executions(service: Service, folders: Sequence[Path]) -> None:
    """Serve the documents the folders hold now, unless they equal those already served.

    Errors are logged, and the previous documents stay in use.
    """
    try:
        is_new = service.take_over(load_executions(folders))
    except StartError as problem:
        # An invalid document is not a crash; a traceback would hide the reasons.
        LOG.error(  # noqa: TRY400
            "Reload failed; still serving the previous fixtures: %s", problem
        )
    except Exception:
        LOG.exception("Reload failed; still serving the previous fixtures.")
    else:
        if is_new:
            LOG.info("Fixtures changed and were reloaded.")


def _follow(service: Service, folders: Sequence[Path]) -> None:
    # Costs about 50 ms, so it is imported only with --reload.
    from watchfiles import Change, watch

    def is_document(_change: Change, path: str) -> bool:
        return path.endswith(".json") and not Path(path).name.startswith(".")

    is_first = True
    try:
        # The first turn comes when the watch has begun; earlier changes were not seen.
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
            "Stopped watching the fixtures: %s. Restart the server to reload them.", problem
        )
