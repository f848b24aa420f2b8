"""YAML that is parsed once, as Python compiles a module once.

What was parsed is kept as JSON where Python keeps this module's byte code, and is read from there
while the text is the same. Parsing takes twenty times as long, and so every start would.
"""

import hashlib
import json
import os
import sys
import tempfile
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

from .json_types import JsonObject

_FORM = 1
"""Raise it when the form of what is kept changes."""


def parsed_yaml(text: str, name: str) -> JsonObject:
    """Give a document as parsed YAML; what was kept under the name is used if it is of this text.

    A document that JSON cannot repeat exactly, such as one with bare dates, is parsed every time.
    """
    place = Path(cache_from_source(__file__)).with_name(f"{name}.json")
    seal = hashlib.sha256(f"{_FORM} {text}".encode()).hexdigest()
    found = _kept(place, seal)
    if found is None:
        found = _parse(text)
        if not sys.dont_write_bytecode:
            _keep(place, seal, found)
    return found


def _parse(text: str) -> JsonObject:
    import yaml  # most starts do without

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    parsed: JsonObject = yaml.load(text, Loader=loader)  # noqa: S506 - a safe one
    return parsed


def _kept(place: Path, seal: str) -> JsonObject | None:
    try:
        kept: Any = json.loads(place.read_text("utf-8"))
        return kept["document"] if kept["seal"] == seal else None
    except (OSError, ValueError, LookupError, TypeError):  # there is none, or it is damaged
        return None


def _keep(place: Path, seal: str, document: JsonObject) -> None:
    """Keep it for the next time, where that is possible; nobody ever sees half of it."""
    with suppress(OSError, TypeError, ValueError):
        written = json.dumps({"seal": seal, "document": document})
        if json.loads(written)["document"] != document:
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=place.parent, prefix=place.name)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(written)
        Path(temporary).chmod(0o644)  # as byte code: whoever may run the program may read it
        Path(temporary).replace(place)
