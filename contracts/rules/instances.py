"""The examples of rules, stored as data: what each rule accepts and refuses."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from deadringer.contracts.json_types import Json, JsonObject

from .model import Rule


@dataclass(frozen=True, slots=True)
class Instance:
    """One example: `subject` has the parts that Scope names.

    `pointers` are the places of the mismatches, empty if the rule accepts the subject.
    """

    description: str
    subject: tuple[Json, ...]
    pointers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Instances:
    """What a rule accepts and refuses; at least one example is refused."""

    accepted: tuple[Instance, ...]
    refused: tuple[Instance, ...]


@cache
def instances_of(rule: Rule) -> Instances:
    """Return the examples of a rule."""
    text = (files(__package__) / "examples" / f"{rule.name}.json").read_text("utf-8")
    data = json.loads(text)
    return Instances(
        accepted=tuple(_instance(one) for one in data["accepted"]),
        refused=tuple(_instance(one) for one in data["refused"]),
    )


def _instance(data: JsonObject) -> Instance:
    pointers = tuple(data.get("pointers", ()))
    return Instance(data["description"], tuple(data["subject"]), pointers)
