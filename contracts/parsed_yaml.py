"""YAML that is parsed once, as Python compiles a module once.

What was parsed is written down as JSON, under a seal of both: the wheel brings it, and a checkout
keeps it where Python keeps this module's byte code. Parsing takes twenty times as long as reading
that, and so every start would.
"""

import hashlib
import json
import os
import sys
import tempfile
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path

from .json_types import JsonObject


def parsed_yaml(text: str, name: str, *, is_kept: bool) -> JsonObject:
    """Return a document as parsed YAML; what is written down is used if it is of this text.

    What is not is written down for the next time if it `is_kept`. A document that JSON cannot
    repeat exactly, such as one with bare dates, is parsed every time.
    """
    brought = Path(__file__).with_name(f"{name}.json")
    kept = Path(cache_from_source(__file__)).with_name(f"{name}.json")
    found = _written_at(brought, text) or _written_at(kept, text)
    if found is None:
        found = _parse(text)
        if is_kept and not sys.dont_write_bytecode:
            _keep(kept, written(text, found))
    return found


def written(text: str, document: JsonObject | None = None) -> str | None:
    """Return what is written down for a text: a seal and the document, None if JSON changes it."""
    document = _parse(text) if document is None else document
    try:
        body = json.dumps(document)
    except (TypeError, ValueError):
        return None
    return f"{_seal(text, body)}\n{body}" if json.loads(body) == document else None


def _seal(text: str, body: str) -> str:
    return hashlib.sha256(f"{text}\0{body}".encode()).hexdigest()


def _parse(text: str) -> JsonObject:
    import yaml  # most starts do without

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    parsed: JsonObject = yaml.load(text, Loader=loader)  # noqa: S506 - a safe one
    return parsed


def _written_at(place: Path, text: str) -> JsonObject | None:
    """Return what is written down there, None if it is of another text, damaged or not there."""
    try:
        seal, _, body = place.read_text("utf-8").partition("\n")
    except (OSError, ValueError):
        return None
    if seal != _seal(text, body):
        return None
    document: JsonObject = json.loads(body)
    return document


def _keep(place: Path, content: str | None) -> None:
    """Keep it for the next time, where that is possible; nobody ever sees half of it."""
    if content is None:
        return
    with suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=place.parent, prefix=place.name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(content)
            Path(temporary).chmod(0o644)  # as byte code: whoever may run the program may read it
            Path(temporary).replace(place)
        finally:
            Path(temporary).unlink(missing_ok=True)
