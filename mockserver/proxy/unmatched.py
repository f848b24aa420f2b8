"""Requests as a replay compares them, and why a request matches no recorded one."""

import os.path
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple
from urllib.parse import quote, urlencode

from deadringer.contracts import Json, JsonObject, nearest_names, pointer_to, show
from deadringer.contracts.redaction import SecretRedactor
from deadringer.mockserver.errors import shorten

_MOST_COMPARED = 2_000
_MOST_SHOWN = 3
_HIDE = SecretRedactor(())


class ReplayRequest(NamedTuple):
    """A request: its path in decoded segments, its query sorted, its body as JSON.

    `body` is None if there is none or it is not JSON. At the JSON Pointers in `any_text` of a
    recorded body, any text matches.
    """

    method: str
    segments: tuple[str, ...]
    query: tuple[tuple[str, str], ...]
    body: Json = None
    has_key: bool = True
    any_text: frozenset[str] = frozenset()

    @property
    def place(self) -> tuple[object, ...]:
        """What must be equal, the body and the key aside."""
        return self.method, self.segments, self.query

    @property
    def label(self) -> str:
        """The request in one line, such as `GET /v1/workflows?limit=20`."""
        path = "/" + "/".join(quote(one, safe="") for one in self.segments)
        query = urlencode([(name, _HIDE.header(name, value)) for name, value in self.query])
        return f"{self.method} {path}" + (f"?{query}" if query else "")


class NearRequest(NamedTuple):
    """A recorded request, and each reason why another one does not match it."""

    label: str
    reasons: tuple[str, ...]


class NoRecording(NamedTuple):
    """A request without a recorded response, and the nearest recorded ones, the best first.

    `lacks_key`: it is a request of the API without a key, and was not recorded without one.
    """

    label: str
    nearest: tuple[NearRequest, ...]
    lacks_key: bool = False


def no_recording(request: ReplayRequest, recorded: Sequence[ReplayRequest]) -> NoRecording:
    """Return the recorded requests nearest to one that matches none of them."""
    reasons: dict[str, tuple[str, ...]] = {}
    for one in islice(recorded, _MOST_COMPARED):
        found = tuple(differences(one, request))
        if one.label not in reasons or len(found) < len(reasons[one.label]):
            reasons[one.label] = found
    fewest = min(map(len, reasons.values()), default=0)
    labels = [label for label, found in reasons.items() if len(found) <= fewest + 1]
    # Few names are compared, by their beginnings: put the likely ones first, and leave out what
    # all of them have.
    labels.sort(key=lambda label: -_shared([label, request.label]))
    common = _shared([request.label, *labels])
    by_rest = {label[common:]: label for label in labels}
    names = nearest_names(request.label[common:], by_rest, most=_MOST_SHOWN)
    near = tuple(NearRequest(by_rest[name], reasons[by_rest[name]]) for name in names)
    best_first = tuple(sorted(near, key=lambda one: len(one.reasons)))
    lacks_key = not request.has_key and request.segments[:1] == ("v1",)
    return NoRecording(request.label, best_first, lacks_key=lacks_key)


def _shared(texts: list[str]) -> int:
    """Return how many characters all texts begin with."""
    return len(os.path.commonprefix(texts))  # noqa: RUF071 - texts, not paths


def matches(recorded: ReplayRequest, request: ReplayRequest) -> bool:
    """Return whether a request has the responses of a recorded one."""
    return (
        recorded.place == request.place
        and recorded.has_key == request.has_key
        and body_difference(recorded, request) is None
    )


def differences(recorded: ReplayRequest, request: ReplayRequest) -> Iterator[str]:
    """Yield each reason why a request does not match a recorded one, none if it does."""
    if recorded.method != request.method:
        yield f"method: recorded {recorded.method}, got {shorten(request.method)}"
    if len(recorded.segments) != len(request.segments):
        numbers = len(recorded.segments), len(request.segments)
        yield "path: recorded {} segments, got {}".format(*numbers)
    else:
        pairs = zip(recorded.segments, request.segments, strict=True)
        for number, (known, got) in enumerate(pairs, 1):
            if known != got:
                yield f"path segment {number}: recorded '{known}', got '{shorten(got)}'"
    yield from _query_differences(dict(recorded.query), dict(request.query))
    if recorded.has_key != request.has_key:
        yield (
            "key: recorded with one, got none"
            if recorded.has_key
            else ("key: recorded without one, got one")
        )
    pointer = body_difference(recorded, request)
    if pointer is not None:
        yield f"body: differs at {pointer or '/'}"


def _query_differences(recorded: dict[str, str], got: dict[str, str]) -> Iterator[str]:
    for name in sorted(recorded.keys() | got.keys()):
        if recorded.get(name) != got.get(name):
            known, sent = (
                show(_HIDE.header(name, one[name])) if name in one else "nothing"
                for one in (recorded, got)
            )
            yield f"query {shorten(name)}: recorded {known}, got {sent}"


def body_difference(recorded: ReplayRequest, request: ReplayRequest) -> str | None:
    """Return the JSON Pointer of the first difference of the bodies, None if they match."""
    return _difference(recorded.body, request.body, recorded.any_text, "")


def _difference(recorded: Json, got: Json, any_text: frozenset[str], at: str) -> str | None:
    if at in any_text and isinstance(got, str):
        return None
    if isinstance(recorded, dict) and isinstance(got, dict):
        return _member_difference(recorded, got, any_text, at)
    if isinstance(recorded, list) and isinstance(got, list) and len(recorded) == len(got):
        pairs = enumerate(zip(recorded, got, strict=True))
        found = (
            _difference(known, one, any_text, f"{at}/{index}") for index, (known, one) in pairs
        )
        return next((one for one in found if one is not None), None)
    is_same = recorded == got and isinstance(recorded, bool) == isinstance(got, bool)
    return None if is_same else at


def _member_difference(
    recorded: JsonObject, got: JsonObject, any_text: frozenset[str], at: str
) -> str | None:
    for name in [*recorded, *(one for one in got if one not in recorded)]:
        below = at + pointer_to(name)
        if name not in recorded or name not in got:
            return below
        found = _difference(recorded[name], got[name], any_text, below)
        if found is not None:
            return found
    return None
