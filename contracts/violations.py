"""One violation of the contract: rule, place, expected, got, and how to fix it."""

import json
from dataclasses import dataclass, replace
from enum import StrEnum

from .json_types import Json

SHOWN_LENGTH = 160


class Severity(StrEnum):
    """How certain a rule is: documented (error) or inferred (warning)."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Violation:
    """One violation of one rule at one place.

    `rule` is the rule's name, or `schema` where the JSON Schema itself speaks.
    `pointer` is a JSON Pointer into the validated instance ("" is the whole of it).
    `expected` and `got` are shortened for people; `source` names where the rule comes from.
    """

    rule: str
    pointer: str
    expected: str
    got: str
    fix: str
    severity: Severity = Severity.ERROR
    source: str = ""

    @property
    def message(self) -> str:
        """Expected and got, in one sentence."""
        return f"expected {self.expected}, got {self.got}"

    def moved_below(self, prefix: str) -> "Violation":
        """The same violation, in a document that holds the validated instance at `prefix`."""
        return replace(self, pointer=prefix + self.pointer)


def show(value: Json) -> str:
    """Return a value as compact JSON, cut to a length a terminal line can bear."""
    text = json.dumps(value, ensure_ascii=False, separators=(", ", ": "), default=repr)
    if len(text) <= SHOWN_LENGTH:
        return text
    return f"{text[:SHOWN_LENGTH]}… ({len(text)} characters)"


def pointer_to(*parts: str | int) -> str:
    """Join member names and indexes to a JSON Pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
