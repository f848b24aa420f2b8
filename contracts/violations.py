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

    `rule` is the rule's name, or `schema` for a violation of the JSON Schema itself. `pointer` is a
    JSON Pointer into the validated instance ("" is the whole instance). `expected` and `got` are
    shortened for readers; `source` names the source of the rule.
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
        """Return expected and got in one sentence."""
        return f"expected {self.expected}, got {self.got}"

    def moved_below(self, prefix: str) -> "Violation":
        """Return the violation for a document that contains the validated instance at `prefix`."""
        return replace(self, pointer=prefix + self.pointer)


def show(value: Json) -> str:
    """Return a value as compact JSON, cut to fit a terminal line."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(", ", ": "), default=repr)
    except ValueError:  # an integer of more digits than Python writes
        return "a value with an integer of thousands of digits"
    if len(text) <= SHOWN_LENGTH:
        return text
    return f"{text[:SHOWN_LENGTH]}… ({len(text)} characters)"


def printable(text: str) -> str:
    """Return a text with everything escaped that could control a terminal or break a line."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )


def pointer_to(*parts: str | int) -> str:
    """Return the JSON Pointer (RFC 6901) of member names and indexes."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
