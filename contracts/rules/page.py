"""Generate docs/reference/rules.md, the reference of the rules."""

import inspect
from collections.abc import Iterator
from itertools import groupby

from . import RULES, Rule, Severity, instances_of

INTRODUCTION = """# Rules

Every rule is one statement of the contract. Its id never changes. Its severity shows how certain
the statement is: an **error** is documented or follows from documented examples, a **warning** is
inferred. `--only` and `--skip` of `deadringer check` and `deadringer validate` accept the name,
the id, or the group.
"""


WHY_WARNINGS = {
    "completed_run_has_only_finished_steps": "Whether a run may complete despite a failed step is "
    "not documented; a running step in a completed run is an error of another rule.",
    "timestamps_have_the_documented_form": "The documentation names ISO 8601, which has more forms "
    "than its examples show.",
    "created_is_near_the_start": "How soon the log row is created is not documented.",
    "run_error_names_the_failed_step": "One example shows the form of the text. To blame a step "
    "that did not fail is an error.",
    "iterations_can_be_told_apart": "`iteration` is known from client code only.",
    "one_branch_of_an_if_runs": "That an `if` skips one branch follows from its meaning only.",
    "operations_are_in_the_catalogue": "The catalogue grows, and a page of it may be older.",
    "edges_join_known_actions": "No sentence states that both ends of an edge exist.",
    "lists_speak_documented_names": "Client code reads other names, so both are in use.",
    "listed_runs_are_readable": "Client code has met single listed runs with 404. Many of them are "
    "an error: the list shows the runs whose trace Execution Detail returns.",
    "catalogue_kinds_are_unique": "No sentence states that a kind is listed once.",
    "started_test_ends": "The maximum duration of a run is not documented. A run that goes on "
    "after its last step is an error of another rule.",
    "wrong_method_is_refused": "HTTP states it, the documentation does not.",
    "bad_body_is_refused": "The schema of the body is known from examples and client code.",
    "key_in_the_query_is_not_enough": "Where a key is read is documented, not where it is ignored.",
    "bearer_key_is_accepted": "One page states it; servers that read `x-api-key` only follow all "
    "other sentences.",
    "foreign_runs_are_not_found": "403 is documented for a key that lacks permission.",
    "members_stand_once": "JSON itself allows it; readers differ in which of the two they take.",
    "rate_limit_headers_are_on_every_answer": "A gateway may remove headers.",
}
"""Why a rule is a warning and not an error."""


def page() -> str:
    """Return the page as markdown: a table by group, then every rule."""
    return "\n".join([INTRODUCTION, *_table(), *_warnings(), *_rules()])


def _warnings() -> Iterator[str]:
    yield "# Why these are warnings\n"
    yield "Every other rule is an error: a sentence or an example of the documentation states"
    yield "it. Each rule names its source below; some findings may have another severity.\n"
    yield "| rule | why it is not an error |\n|---|---|"
    for rule in RULES:
        if rule.severity is Severity.WARNING:
            yield f"| `{rule.name}` | {WHY_WARNINGS[rule.name]} |"
    yield ""


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
