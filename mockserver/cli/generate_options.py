"""How the constraints of `deadringer generate` are spelled on the command line."""

import re
from collections.abc import Iterable
from typing import Any

import click

from fixtures import Seed

_WHOLE = r"-?[0-9]{1,4000}"
"""Python refuses to read longer numbers, which are as good a seed as text."""


def filled(_context: click.Context, _option: click.Parameter, given: Any) -> Any:
    """Give what an option was given, unless that is empty, as an unset variable of a shell is.

    Raises:
        click.BadParameter: if it is.
    """
    values = [given] if isinstance(given, str) else given or ()
    if any(not value.strip(", ") for value in values):
        raise click.BadParameter("it is empty. Give a value, or leave the option out.")
    return given


def steps_of(text: str | None) -> tuple[int, int] | None:
    """Give `5`, or `3..12`, as a pair (low, high).

    Raises:
        click.BadParameter: if it is neither.
    """
    if text is None:
        return None
    found = re.fullmatch(r"([0-9]{1,9})(?:\.\.([0-9]{1,9}))?", text)
    low, high = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if low > high:
        raise click.BadParameter(
            f"{text!r} is no number of steps. Write 5, or 3..12.", param_hint="--steps"
        )
    return low, high


def seed_of(text: str) -> Seed:
    """Give the seed: a whole number where it is spelled as one, else the text itself."""
    return int(text) if re.fullmatch(_WHOLE, text) else text


def listed(values: Iterable[str]) -> list[str]:
    """Give the values of an option that may be repeated, and hold several joined by commas."""
    return [part.strip() for value in values for part in value.split(",") if part.strip()]


def status_shares(values: Iterable[str]) -> dict[str, float] | None:
    """Give shares by status, None if no status was named.

    `failed` alone means only failed runs; of `failed=0.3` the rest is completed.

    Raises:
        click.BadParameter: if a share is no number, or only some of several statuses have one, or
            a status is named twice.
    """
    parts = listed(values)
    if not parts:
        return None
    pairs = [part.partition("=") for part in parts]
    if len({equals for _, equals, _ in pairs}) > 1:
        raise click.BadParameter(
            f"{', '.join(parts)}: give every status a share, or none.", param_hint="--status"
        )
    shares: dict[str, float] = {}
    for name, equals, text in pairs:
        if name.strip() in shares:
            raise click.BadParameter(
                f"{name.strip()} has two shares. Give each status once.", param_hint="--status"
            )
        shares[name.strip()] = _share(name, text) if equals else 1.0
    return shares


def _share(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise click.BadParameter(
            f"the share of {name}, {text!r}, is no number. Write {name}=0.3.",
            param_hint="--status",
        ) from None
