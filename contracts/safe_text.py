"""Text from elsewhere, made safe to show: nothing in it steers a terminal or reorders a line."""

import re

_UNSAFE = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069\\ufeff\\ud800-\\udfff]"
)
"""Controls (C0, C1), marks that change the direction of text, line separators, half surrogates."""


def escaped(text: str, keep: str = "") -> str:
    """Return a text with each unsafe character as its JSON escape, such as `\\u001b`.

    Those in `keep`, such as line ends, stay. Inside a JSON text the result is the same value.
    """
    return _UNSAFE.sub(lambda found: found[0] if found[0] in keep else _escape(found[0]), text)


def _escape(sign: str) -> str:
    return f"\\u{ord(sign):04x}"
