"""Packages of other projects that are named like ours and are found first.

`contracts` and `fixtures` are common names. Nothing of ours is imported here.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

_ROOT = Path(__file__).parent.parent


class NamesakeError(ImportError):
    """A package of ours cannot be imported; the message names the file that shadows it."""


def require_ours(*names: str) -> None:
    """Make sure that packages of ours are what an import of them gives.

    Raises:
        NamesakeError: if one of them is another project's.
    """
    for name in names:
        found = _place_of(name)
        if found is not None and not found.is_relative_to((_ROOT / name).resolve()):
            raise NamesakeError(
                f"deadringer's package `{name}` is shadowed by {found}. Fix: rename that one, or "
                "keep its folder off sys.path: run `pytest`, not `python -m pytest`, with "
                "--import-mode=importlib."
            )


def _place_of(name: str) -> Path | None:
    """Give the file, or the folder, that an import of a name takes; None if nobody can tell."""
    loaded = sys.modules.get(name)
    spec = getattr(loaded, "__spec__", None) if loaded else find_spec(name)
    if spec is None:
        return None
    places = [spec.origin] if spec.origin else list(spec.submodule_search_locations or ())
    return Path(places[0]).resolve() if places else None
