"""Ids and keys that the check invents: unlike everything it knows, or slightly unlike one id."""

import random
import string
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote

from deadringer.contracts.check.session import CheckSession
from deadringer.contracts.envelopes import elements, members

SHORTEST = 12
"""So many random letters at least make an invented id one that no service has handed out."""
SHORTEST_KEY = 8
"""A shorter key has no near ones that are not likely to be keys too."""


def spelled(text: str) -> str:
    """Return a text in the one form of all its spellings that a server may treat as equal.

    Case, blanks around it, percent-encoding (also twice) and Unicode normalisation are removed.
    """
    for _ in range(3):
        decoded = unquote(text)
        if decoded == text:
            break
        text = decoded
    return unicodedata.normalize("NFKC", text).strip().casefold()


def known_texts(session: CheckSession) -> Iterator[str]:
    """Yield every id and key the check has heard of."""
    yield session.options.api_key
    yield from session.workflows
    for run in session.runs.values():
        yield run.run_id
        execution = members(run.execution)
        yield str(execution.get("id"))
        for step in elements(execution.get("steps")):
            yield str(members(step).get("step_id"))


def invented(session: CheckSession, prefix: str, *, like: str = "", turn: int = 0) -> str:
    """Return an id that nothing known equals, begins with or continues, in any spelling.

    A known text shorter than SHORTEST, such as the step id `run`, only must not equal it. The same
    for the same seed and turn. With `like`, it has the form of that text: its length, and digits,
    lower and upper case where they are there.
    """
    known = {spelled(text) for text in known_texts(session) if text}
    source = random.Random(f"{session.options.seed} {prefix} {turn}")  # noqa: S311 - not a secret
    while True:
        text = _in_the_form_of(like, source) if like else prefix + _random(source, 17)
        form = spelled(text)
        if not any(_is_like(form, one) for one in known):
            return text


def _is_like(form: str, known: str) -> bool:
    begins = form.startswith(known) or known.startswith(form)
    return begins and (form == known or len(known) >= SHORTEST)


def _random(source: random.Random, length: int) -> str:
    return "".join(source.choices(string.ascii_lowercase + string.digits, k=length))


def _in_the_form_of(like: str, source: random.Random) -> str:
    prefix, mark, rest = like.rpartition("_")
    made = "".join(_same_class(letter, source) for letter in rest)
    count = sum(letter.isalnum() for letter in made)
    if count < SHORTEST:
        letters = string.digits if made.isdigit() else string.ascii_lowercase + string.digits
        made += "".join(source.choices(letters, k=SHORTEST - count))
    return prefix + mark + made


def _same_class(letter: str, source: random.Random) -> str:
    for letters in (string.digits, string.ascii_lowercase, string.ascii_uppercase):
        if letter in letters:
            return source.choice(letters)
    return letter


def near_ids(value: str) -> Iterator[str]:
    """Yield ids that differ slightly from an id, those first that servers confuse most often."""
    wide = "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in value)
    forms = [
        value.swapcase(),
        f" {value}",
        f"{value} ",
        value[:-1],
        f"{value}x",
        f"%{ord(value[0]):02X}{value[1:]}" if "" < value[:1] < "\x80" else "",
        wide,
        f"{value}%",
        f"{value[:-1]}_",
        value.upper(),
        value.lower(),
        f"x{value}",
        value[1:],
        f"{value}/",
        f"/{value}",
        f"{value}%20",
        f"{value}\t",
        f"{value}.json",
        f"{value};v=1",
        f"{value}?x=1",
        f"{value}#x",
        f"{value}\u200b",
        value[: len(value) // 2],
        unicodedata.normalize("NFD", value),
        unicodedata.normalize("NFC", value),
        unicodedata.normalize("NFKC", value),
    ]
    usable = [one for one in forms if one.strip() and one != value]
    yield from dict.fromkeys(usable)


def near_keys(key: str, seed: int) -> list[tuple[str, str]]:
    """Return pairs of keys that a careless comparison takes for the good one.

    Both of a pair are of one kind; the second confirms what the first has shown, as a single one
    may be a valid key of another user.
    """
    tail = _random(random.Random(f"{seed} near key"), 17)  # noqa: S311 - not a secret
    other, third = ("q", "Z") if key[-1:] not in {"q", "Z"} else ("j", "W")
    pairs = [
        (key[:-1] + other, key[:-1] + third),
        (key[:-1], key[:-2]),
        (key + tail[:8], key + tail[8:]),
        (key.swapcase(), _one_case_changed(key)),
        (tail[:8] + key, tail[8:] + key),
        (f"%{ord(key[0]):02X}{key[1:]}", f"{key[:-1]}%{ord(key[-1]):02X}"),
        (key[: len(key) // 2], key[: len(key) // 2 + 1]),
        (f"{key},{tail}", f"{key},{tail[::-1]}"),
    ]
    is_usable = len(key) >= SHORTEST_KEY and key.isascii()
    return [pair for pair in pairs if is_usable and all(one != key for one in pair)]


def _one_case_changed(text: str) -> str:
    for at in range(len(text) - 1, -1, -1):
        if text[at].isalpha():
            return text[:at] + text[at].swapcase() + text[at + 1 :]
    return text
