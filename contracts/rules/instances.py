"""The examples of rules, which are data: what each accepts and what it refuses."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from deadringer.contracts.json_types import Json, JsonObject

from .model import Rule


@dataclass(frozen=True, slots=True)
class Instance:
    """One example: `subject` has the parts that Scope names.

    `pointers` are the places of the mismatches, none where the rule holds.
    """

    description: str
    subject: tuple[Json, ...]
    pointers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Instances:
    """What a rule accepts and refuses; there is at least one refused."""

    accepted: tuple[Instance, ...]
    refused: tuple[Instance, ...]


@cache
def instances_of(rule: Rule) -> Instances:
    """Return the examples of a rule."""
    text = (files(__package__) / "examples" / f"{rule.name}.json").read_text("utf-8")
    message = json.loads(text)
    return Instances(
        accepted=tuple(_instance(one) for one in message["accepted"]),
        refused=tuple(_instance(one) for one in message["refused"]),
    )


def _instance(message: JsonObject) -> Instance:
    pointers = tuple(message.get("pointers", ()))
    return Instance(message["description"], tuple(message["subject"]), pointers)
