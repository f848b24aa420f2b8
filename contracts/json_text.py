"""JSON text according to RFC 8259: strict when parsing, UTF-8 when writing."""

import json
import math

from .json_types import Json

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
_spaced = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode


def read_json(text: str | bytes) -> Json:
    """Return the value of a JSON text.

    Raises:
        ValueError: if it is not JSON, or contains a number that is not finite.
        RecursionError: if it is nested too deeply.
    """
    value: Json = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    return value


def json_bytes(value: Json, *, compact: bool = True) -> bytes:
    """Return a value as JSON in UTF-8, members in their order; by default without whitespace.

    A lone surrogate, which has no UTF-8 form, is written as its escape. The bytes of generated
    documents are stable, because users pin their hashes.
    """
    encode = _compact if compact else _spaced
    return encode(value).encode("utf-8", "backslashreplace")


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is too large")
    return number
