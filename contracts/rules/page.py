"""Generate docs/reference/rules.md, the reference of the rules."""

import inspect
from collections.abc import Iterator
from itertools import groupby

from . import RULES, Rule, instances_of

INTRODUCTION = """# Rules

Every rule is one statement of the contract. Its id never changes. Its severity shows how certain
the statement is: an **error** is documented or follows from documented examples, a **warning** is
inferred. `--only` and `--skip` of `deadringer check` and `deadringer validate` accept the name,
the id, or the group.
"""


def page() -> str:
    """Return the page as markdown: a table by group, then every rule."""
    return "\n".join([INTRODUCTION, *_table(), *_rules()])


def _table() -> Iterator[str]:
    for group, rules in groupby(RULES, key=lambda rule: rule.group):
        yield f"## {group.value}\n"
        yield "| id | rule | severity | what must hold |\n|---|---|---|---|"
        for rule in rules:
            link = f"[`{rule.name}`](#{rule.name})"
            yield f"| {rule.id} | {link} | {rule.severity.value} | {_title(rule)} |"
        yield ""


def _title(rule: Rule) -> str:
    return " ".join(rule.why.partition("\n\n")[0].split()).replace("|", "\\|")


def _rules() -> Iterator[str]:
    yield "# One by one\n"
    for rule in RULES:
        title, _, why = rule.why.partition("\n\n")
        yield f"### {rule.name}\n"
        place = f"group {rule.group.value}, reads: {rule.scope.value}"
        yield f"**{rule.id}**, {rule.severity.value}, {place}.\n"
        yield f"{inspect.cleandoc(title)}\n"
        if why:
            yield f"{inspect.cleandoc(why)}\n"
        yield f"- Source: {rule.source}."
        if rule.needs:
            yield f"- Tested by: {rule.needs}."
        refused = instances_of(rule).refused[0]
        places = ", ".join(f"`{pointer or '/'}`" for pointer in refused.pointers)
        yield f"- Refused, for example: {refused.description} (at {places}).\n"
