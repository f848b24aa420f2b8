"""Hides API keys in whatever is logged or echoed."""

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, quote, unquote

HIDDEN = "***"
_KEY_SHAPE = re.compile(r"trig_[A-Za-z0-9_-]{16,}")
_SECRET_NAME = re.compile(r"key|token|secret|password|authorization", re.IGNORECASE)
_SHOWN_PATH_LENGTH = 400


class Redactor:
    """Hides the keys it was given, and everything shaped like a key."""

    def __init__(self, keys: Iterable[str]) -> None:
        # Longest first, so that a key that begins another one does not leave its tail behind.
        self._keys = sorted(keys, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Give the text with every key hidden."""
        for key in self._keys:
            text = text.replace(key, HIDDEN)
        return _KEY_SHAPE.sub(f"trig_{HIDDEN}", text)

    def target(self, path: str, query: str) -> str:
        """Give path and query as one printable line, keys and values of secret names hidden.

        `path` is decoded text, `query` is percent-encoded, as WSGI gives them.
        """
        shown = quote(self(path), safe="/:@!$&'()*+,;=~")
        if query:
            shown += "?" + "&".join(self._pair(pair) for pair in query.split("&"))
        if len(shown) > _SHOWN_PATH_LENGTH:
            return f"{shown[:_SHOWN_PATH_LENGTH]}…"
        return shown

    def _pair(self, pair: str) -> str:
        decoded = unquote(pair.replace("+", " "))
        name = next(iter(parse_qsl(pair, keep_blank_values=True)), ("", ""))[0]
        if _SECRET_NAME.search(name):
            return f"{quote(self(name))}={HIDDEN}"
        return quote(self(decoded), safe="=*/:@,~")
