"""The mock as a child process: it serves until its parent closes its standard input or exits.

Its settings come from the options alone, so that no variable or file of the machine affects tests.
"""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deadringer.mockserver.config import Settings

_STANDARD_INPUT = 0
_EXIT_TIMEOUT_S = 5


def main(options: Sequence[str]) -> None:
    """Serve with options of `deadringer serve`; print the address once it accepts requests."""
    threading.Thread(target=_end_with_input, daemon=True).start()
    import click

    from deadringer.mockserver.cli.serve import run_server, serve
    from deadringer.mockserver.cli.settings import settings_from
    from deadringer.mockserver.exceptions import StartError

    only_options: dict[str, Any] = {"auto_envvar_prefix": None, "default_map": {}}
    try:
        context = serve.make_context("deadringer serve", list(options), **only_options)
        settings = settings_from(context)
        sys.exit(run_server(settings, lambda url, _service: lambda: _print_address(url, settings)))
    except (StartError, click.ClickException) as problem:
        sys.exit(f"deadringer: {problem}")


def _print_address(url: str, settings: "Settings") -> None:
    """Write address, key and token as one line of JSON for the parent process."""
    message = {
        "base_url": url,
        "api_key": settings.api_keys[0],
        "control_token": settings.control_token,
    }
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _end_with_input() -> None:
    """Stop as on SIGTERM when standard input ends; exit at last, even if a request goes on."""
    while os.read(_STANDARD_INPUT, 4096):  # `sys.stdin` would hold a lock that the exit needs
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_EXIT_TIMEOUT_S)
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
