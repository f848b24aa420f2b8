"""Hide secrets in reports, logs and the journal, which are stored and shared."""

import json
import re
import shlex
from collections.abc import Iterable
from urllib.parse import parse_qsl, quote, quote_plus, unquote

from .json_types import Json

KEY_VARIABLE = "$DEADRINGER_API_KEY"
HIDDEN = "***"
SHORTEST_KEY = 8
"""Shorter keys occur in many other texts."""
SHORTEST_WORD = 4
MOST_LEARNED = 100
_KEY_SHAPE = re.compile(r"trig_[A-Za-z0-9_-]{16,}")
_SECRET_NAME = re.compile(
    r"key|token|secret|passw|credential|authorization|(?<!www-)(?<!proxy-)authentic"
    r"|(?<![a-z])auth(?![a-z])|csrf|(?<!mock-)session",
    re.IGNORECASE,
)
"""Names of headers and of members of a query whose values are hidden; X-Mock-Session is none."""
_SECRET_HEADER = re.compile(f"{_SECRET_NAME.pattern}|cookie", re.IGNORECASE)
_SCHEMES = {"basic", "bearer", "digest"}
_LONGEST_TARGET = 400


class SecretRedactor:
    """Hide known keys, keys that differ in one letter, and every text shaped like a key.

    Keys are found in plain, percent-encoded and JSON form. Keys that differ from a known one in the
    last letter, as sent by probes, are found if the key has at least SHORTEST_KEY letters.
    """

    def __init__(
        self, keys: Iterable[str], *, shortest: int = 1, others: Iterable[str] = ()
    ) -> None:
        """Set the known keys; keys with fewer letters than `shortest` are not hidden.

        `others` are further secrets. Those with fewer than SHORTEST_KEY letters are found as whole
        words only, and those with fewer than SHORTEST_WORD not at all.
        """
        known = [key for key in keys if len(key) >= shortest]
        in_json = {_in_json(one) for key in known for one in (key, key[:-1])}
        self._others = _pattern_of_others({*others, *(one for one in in_json if "\\" in one)})
        self._whole = {form for key in known for form in (key, quote_plus(key))}
        near = {form[:-1] for form in self._whole if len(form) >= SHORTEST_KEY}
        self._exact = _any_of(self._whole)
        self._near = _any_of(near)
        self._either = _any_of(self._whole | near)

    def __call__(self, text: str) -> str:
        """Return the text with every secret hidden."""
        text = self._exact.sub(HIDDEN, self._others.sub(HIDDEN, text))
        text = _KEY_SHAPE.sub(f"trig_{HIDDEN}", text)
        return self._near.sub(HIDDEN, text)

    def json(self, value: Json) -> Json:
        """Return a JSON value without secrets, in names too; None if it is nested too deeply."""
        try:
            return self._without(value)
        except RecursionError:
            return None

    def _without(self, value: Json) -> Json:
        if isinstance(value, str):
            return self(value)
        if isinstance(value, list):
            return [self._without(one) for one in value]
        if isinstance(value, dict):
            return {self(name): self._without(one) for name, one in value.items()}
        return value

    def header(self, name: str, value: str) -> str:
        """Return the value of a header without secrets; if its name is secret, only its scheme."""
        if not value or not _SECRET_HEADER.search(name):
            return self(value)
        scheme, _, rest = value.partition(" ")
        return f"{scheme} {HIDDEN}" if rest and scheme.lower() in _SCHEMES else HIDDEN

    def member(self, name: str, value: str) -> str:
        """Return a named value without secrets; nothing of it if its name is secret."""
        return HIDDEN if _SECRET_NAME.search(name) else self(value)

    def target(self, path: str, query: str) -> str:
        """Return path and query as one printable line; values of secret names are hidden too.

        `path` is decoded text, `query` is percent-encoded, as in WSGI.
        """
        shown = quote(self(path), safe="/:@!$&'()*+,;=~")
        if query:
            shown += "?" + "&".join(self._pair(pair) for pair in query.split("&"))
        if len(shown) > _LONGEST_TARGET:
            return f"{shown[:_LONGEST_TARGET]}…"
        return shown

    def _pair(self, pair: str) -> str:
        decoded = unquote(pair.replace("+", " "))
        name = next(iter(parse_qsl(pair, keep_blank_values=True)), ("", ""))[0]
        if _SECRET_NAME.search(name):
            return f"{quote(self(name))}={HIDDEN}"
        return quote(self(decoded), safe="=*/:@,~")

    def word(self, text: str) -> str:
        """Return a text as one shell word, with a variable in place of the known key.

        Other texts shaped like a key stay, because the command must repeat the request.
        """
        text = self._others.sub(HIDDEN, text)
        shown, at = "", 0
        for found in self._either.finditer(text):
            shown += _quoted(text[at : found.start()]) + self._variable(found[0])
            at = found.end()
        return shown + _quoted(text[at:]) or "''"

    def _variable(self, found: str) -> str:
        if found in self._whole:
            return f'"{KEY_VARIABLE}"'
        return f'"${{{KEY_VARIABLE[1:]}%?}}"'


class GrowingRedactor(SecretRedactor):
    """A redactor that learns secrets while it is used; safe for threads."""

    def __init__(self, keys: Iterable[str] = (), *, others: Iterable[str] = ()) -> None:
        """Set the secrets known from the start."""
        self._known = dict.fromkeys(keys)
        self._fixed = tuple(others)
        super().__init__(self._known, shortest=SHORTEST_KEY, others=self._fixed)

    def learn(self, *keys: str) -> None:
        """Hide these keys too from here on; the first of more than MOST_LEARNED are forgotten."""
        if all(key in self._known for key in keys):
            return
        known = {**self._known, **dict.fromkeys(keys)}
        self._known = dict.fromkeys(list(known)[-MOST_LEARNED:])
        super().__init__(self._known, shortest=SHORTEST_KEY, others=self._fixed)


def is_secret_header(name: str) -> bool:
    """Return whether the value of a header is a secret, by its name."""
    return _SECRET_HEADER.search(name) is not None


def _pattern_of_others(secrets: set[str]) -> re.Pattern[str]:
    forms = {
        form
        for one in secrets
        for form in (one, quote(one, safe=""), quote_plus(one), _in_json(one))
    }
    long = {one for one in forms if len(one) >= SHORTEST_KEY}
    short = {one for one in forms - long if len(one) >= SHORTEST_WORD}
    words = rf"(?<![A-Za-z0-9])(?:{_any_of(short).pattern})(?![A-Za-z0-9])"
    return re.compile(f"{_any_of(long).pattern}|{words}")


def _in_json(text: str) -> str:
    """Return a text as it is written between the quotation marks of a JSON string."""
    return json.dumps(text)[1:-1]


def _any_of(texts: set[str]) -> re.Pattern[str]:
    """Return a pattern for texts, the longest first, since one may be a prefix of another."""
    ordered = sorted(texts, key=lambda text: (-len(text), text))
    return re.compile("|".join(map(re.escape, ordered)) or r"(?!)")


def _quoted(text: str) -> str:
    return shlex.quote(text) if text else ""
