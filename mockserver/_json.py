"""JSON as its standard has it: no number in it is NaN or infinite; what is written is UTF-8."""

import json
import math

from deadringer.contracts import Json


def read_json(text: str | bytes) -> Json:
    """Give what a text says.

    Raises:
        ValueError: if it is not JSON, or a number in it is not finite.
        RecursionError: if it is nested too deeply.
    """
    value: Json = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    return value


def written(value: Json) -> bytes:
    """Give JSON; half a surrogate pair, which has no UTF-8 form, is written as its escape."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace")


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is too large")
    return number
