"""Keeps the key out of what a check writes down: reports are kept, shown and sent around."""

import re
import shlex
from urllib.parse import quote_plus

from .json_types import Json

KEY_VARIABLE = "$DEADRINGER_API_KEY"
HIDDEN = "***"
_SHORTEST = 8
"""A shorter key would be found everywhere, and guards nothing."""


class KeyHider:
    """Hides one key, and keys that differ from it in the last letter, as probes send them."""

    def __init__(self, key: str) -> None:
        forms = {key, quote_plus(key)} if len(key) >= _SHORTEST else set()
        self._whole = forms
        self._near = {form[:-1] for form in forms}
        known = sorted(forms | self._near, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, known)) or r"(?!)")

    def text(self, text: str) -> str:
        """Give a text without the key."""
        return self._pattern.sub(HIDDEN, text)

    def json(self, value: Json) -> Json:
        """Give a JSON value without the key, in names too; None where it is too deep to look."""
        try:
            return self._without(value)
        except RecursionError:
            return None

    def _without(self, value: Json) -> Json:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self._without(one) for one in value]
        if isinstance(value, dict):
            return {self.text(name): self._without(one) for name, one in value.items()}
        return value

    def word(self, text: str) -> str:
        """Give a text as one word for a shell, in which the key is a variable."""
        told, at = "", 0
        for found in self._pattern.finditer(text):
            told += _quoted(text[at : found.start()]) + self._variable(found[0])
            at = found.end()
        return told + _quoted(text[at:]) or "''"

    def _variable(self, found: str) -> str:
        if found in self._whole:
            return f'"{KEY_VARIABLE}"'
        return f'"${{{KEY_VARIABLE[1:]}%?}}"'


def _quoted(text: str) -> str:
    return shlex.quote(text) if text else ""
