"""The rules page: every rule with its source, examples, and contract faults."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from flask import Flask, Response
from markupsafe import Markup

from deadringer.contracts import Json
from deadringer.contracts.rules import RULES, Group, Instance, Rule, Severity, instances_of

from .shell import UI, show_page


@dataclass(frozen=True, slots=True)
class ExampleLine:
    """One line of an example; `is_violation` marks the place of a violation."""

    text: str
    is_violation: bool


@dataclass(frozen=True, slots=True)
class RuleExample:
    """One example to show."""

    description: str
    places: tuple[str, ...]
    lines: tuple[ExampleLine, ...]


@dataclass(frozen=True, slots=True)
class RuleEntry:
    """One rule to show; `faults` are the contract faults that violate it."""

    rule: Rule
    title: str
    why: tuple[str, ...]
    conforming: RuleExample | None
    violating: RuleExample
    faults: tuple[str, ...]

    @property
    def searched(self) -> str:
        """The text that a search looks through."""
        message = (self.rule.id, self.rule.name, self.title, self.rule.source, *self.faults)
        return " ".join(message).lower()


def add_rules_page(app: Flask) -> None:
    """Add `/__mock/ui/rules`."""
    app.jinja_env.filters["ticked"] = ticked
    app.add_url_rule(f"{UI}rules", "ui rules", _rules_page)


def ticked(text: str) -> Markup:
    """Return a text as HTML, with the parts between backticks as code."""
    code = Markup("<code>{}</code>")
    parts = text.split("`")
    return Markup("").join(code.format(part) if at % 2 else part for at, part in enumerate(parts))


def _rules_page() -> Response:
    return show_page(
        "rules.html",
        "ui rules",
        rules=rule_entries(),
        groups=list(Group),
        severities=list(Severity),
    )


@cache
def rule_entries() -> tuple[RuleEntry, ...]:
    """Return every rule in the order of the contract."""
    return tuple(_entry(rule) for rule in RULES)


def _entry(rule: Rule) -> RuleEntry:
    from deadringer.mockserver.faults.contract import (
        CONTRACT_FAULTS,  # many modules, which few pages need
    )

    title, *why = (" ".join(part.split()) for part in rule.why.split("\n\n"))
    instances = instances_of(rule)
    return RuleEntry(
        rule=rule,
        title=title,
        why=tuple(why),
        conforming=_example(instances.accepted[0]) if instances.accepted else None,
        violating=_example(instances.refused[0]),
        faults=tuple(fault.name for fault in CONTRACT_FAULTS if fault.rule == rule.name),
    )


def _example(instance: Instance) -> RuleExample:
    parts = [_bare(part) for part in instance.subject]
    shown = parts[0] if len(parts) == 1 else parts
    marked = {_place(shown, pointer, len(parts)) for pointer in instance.pointers}
    return RuleExample(
        instance.description,
        tuple(pointer or "/" for pointer in instance.pointers),
        tuple(_lines(shown, "", "", marked)),
    )


def _place(shown: Json, pointer: str, parts: int) -> str:
    """Return the pointer of a violation in the shown value: in the last part that has it."""
    roots = [""] if parts == 1 else [f"/{part}" for part in reversed(range(parts))]
    wanted = [f"{root}{inner}{pointer}" for root in roots for inner in ("", "/body")]
    return next((place for place in wanted if _exists(shown, place)), pointer)


def _exists(value: Json, pointer: str) -> bool:
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        elif isinstance(value, dict) and key in value:
            value = value[key]
        else:
            return False
    return True


def _bare(part: Json) -> Json:
    """Return an exchange without its wrapping object."""
    is_exchange = isinstance(part, dict) and part.keys() == {"exchange"}
    return part["exchange"] if is_exchange else part


def _lines(
    value: Json, pointer: str, name: str, marked: set[str], tail: str = ""
) -> Iterator[ExampleLine]:
    """Yield JSON as lines, indented by the depth of their pointers."""
    indent = "  " * pointer.count("/")
    is_violation = bool(pointer) and pointer in marked
    if isinstance(value, dict | list) and value:
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        yield ExampleLine(f"{indent}{name}{opening}", is_violation)
        members = _members(value)
        for place, (key, label, member) in enumerate(members, 1):
            comma = "," if place < len(members) else ""
            yield from _lines(member, f"{pointer}/{key}", label, marked, comma)
        yield ExampleLine(f"{indent}{closing}{tail}", is_violation=False)
    else:
        yield ExampleLine(
            f"{indent}{name}{json.dumps(value, ensure_ascii=False)}{tail}", is_violation
        )


def _members(value: Json) -> list[tuple[str, str, Json]]:
    if isinstance(value, list):
        return [(str(place), "", member) for place, member in enumerate(value)]
    return [
        (
            key.replace("~", "~0").replace("/", "~1"),
            f"{json.dumps(key, ensure_ascii=False)}: ",
            member,
        )
        for key, member in value.items()
    ]
