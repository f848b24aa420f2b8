"""Lines that GitHub Actions reads from the output of a step: workflow commands."""

import secrets

from .safe_text import escaped

ON = "GITHUB_ACTIONS"
"""The variable that is `true` where GitHub Actions reads the output."""


def workflow_command(kind: str, message: str, **properties: str | int) -> str:
    """Return one command, such as `::error title=DR019::…`, on one line.

    `properties` are written in their order; names and values as GitHub documents them. Characters
    that could control a terminal or reorder a line are written as JSON escapes.
    """
    written = ",".join(
        f"{name}={_escaped(str(value), in_property=True)}" for name, value in properties.items()
    )
    return f"::{kind}{' ' if written else ''}{written}::{_escaped(message)}"


def guarded(text: str) -> str:
    """Return a text in which GitHub Actions finds no commands, whatever a server put into it."""
    token = secrets.token_hex(16)
    return f"::stop-commands::{token}\n{text.rstrip()}\n::{token}::"


def _escaped(text: str, *, in_property: bool = False) -> str:
    text = escaped(text, keep="\r\n\t")
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if in_property else text
