"""Turns the examples of rules, which are data, into subjects and contexts."""

import json
from functools import cache
from typing import Any

from deadringer.contracts import Exchange, Failure, Intent
from deadringer.contracts.rules import Context, Scope, Severity
from tests.project import ROOT

FOLDER = ROOT / "contracts" / "rules" / "examples"


@cache
def examples(rule_name: str) -> dict[str, list[dict[str, Any]]]:
    """Give the accepted and refused examples of a rule."""
    found: dict[str, list[dict[str, Any]]] = json.loads(
        (FOLDER / f"{rule_name}.json").read_text("utf-8")
    )
    return found


def subject_of(example: dict[str, Any], scope: Scope) -> list[Any]:
    """Give the parts of an example's subject as the rule takes them."""
    parts = [_part(part) for part in example["subject"]]
    if scope is Scope.GENERATED:
        parts[0] = [(check, message, Severity(severity)) for check, message, severity in parts[0]]
    return parts


def context_of(example: dict[str, Any]) -> Context:
    """Give what is known beside an example."""
    known = dict(example.get("context", {}))
    if "catalogue" in known:
        known["catalogue"] = frozenset(known["catalogue"])
    return Context(**known)


def _part(part: Any) -> Any:
    if not isinstance(part, dict) or part.keys() != {"exchange"}:
        return part
    told = dict(part["exchange"])
    if "body" in told:
        told["response_body"] = json.dumps(told.pop("body")).encode()
    elif "text" in told:
        told["response_body"] = told.pop("text").encode()
    if "intent" in told:
        told["intent"] = Intent(told["intent"])
    if "failure" in told:
        told["failure"] = Failure(told["failure"])
    return Exchange(**told)
