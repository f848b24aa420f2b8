"""Parse YAML once and cache the result, as Python does with byte code.

The parsed document is stored as JSON with a checksum of text and JSON: in the wheel, and in a
checkout beside this module's byte code. Reading that is twenty times as fast as parsing YAML, which
keeps the start fast.
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


def parsed_yaml(text: str, name: str, *, is_cached: bool) -> JsonObject:
    """Return a document as parsed YAML, from the cache if that is of the same text.

    Otherwise the document is parsed, and cached if `is_cached`. A document that JSON cannot
    represent exactly, such as one with bare dates, is parsed every time.
    """
    packaged = Path(__file__).with_name(f"{name}.json")
    cached = Path(cache_from_source(__file__)).with_name(f"{name}.json")
    found = _written_at(packaged, text) or _written_at(cached, text)
    if found is None:
        found = _parse(text)
        if is_cached and not sys.dont_write_bytecode:
            _store(cached, written(text, found))
    return found


def written(text: str, document: JsonObject | None = None) -> str | None:
    """Return the cache entry of a text: checksum and document. None if JSON cannot represent it."""
    document = _parse(text) if document is None else document
    try:
        body = json.dumps(document)
    except (TypeError, ValueError):
        return None
    return f"{_seal(text, body)}\n{body}" if json.loads(body) == document else None


def _seal(text: str, body: str) -> str:
    return hashlib.sha256(f"{text}\0{body}".encode()).hexdigest()


def _parse(text: str) -> JsonObject:
    import yaml  # slow to import, and rarely needed

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    parsed: JsonObject = yaml.load(text, Loader=loader)  # noqa: S506 - a safe loader
    return parsed


def _written_at(place: Path, text: str) -> JsonObject | None:
    """Return the document of a cache file, or None if it is missing, damaged or of another text."""
    try:
        seal, _, body = place.read_text("utf-8").partition("\n")
    except (OSError, ValueError):
        return None
    if seal != _seal(text, body):
        return None
    document: JsonObject = json.loads(body)
    return document


def _store(place: Path, content: str | None) -> None:
    """Write a cache file atomically, if the folder is writable."""
    if content is None:
        return
    with suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=place.parent, prefix=place.name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(content)
            Path(temporary).chmod(0o644)  # readable by every user, like byte code
            Path(temporary).replace(place)
        finally:
            Path(temporary).unlink(missing_ok=True)
