"""Load the examples of rules as subjects and contexts."""

import json
from functools import cache
from typing import Any

from deadringer.contracts import Exchange, Failure, Intent
from deadringer.contracts.rules import Context, Scope, Severity
from tests.project import ROOT

FOLDER = ROOT / "contracts" / "rules" / "examples"


@cache
def examples(rule_name: str) -> dict[str, list[dict[str, Any]]]:
    """Return the accepted and refused examples of a rule."""
    found: dict[str, list[dict[str, Any]]] = json.loads(
        (FOLDER / f"{rule_name}.json").read_text("utf-8")
    )
    return found


def subject_of(example: dict[str, Any], scope: Scope) -> list[Any]:
    """Return the parts of an example's subject in the form of the rule's arguments."""
    parts = [_part(part) for part in example["subject"]]
    if scope is Scope.GENERATED:
        parts[0] = [(check, message, Severity(severity)) for check, message, severity in parts[0]]
    return parts


def context_of(example: dict[str, Any]) -> Context:
    """Return the context of an example."""
    known = dict(example.get("context", {}))
    if "catalogue" in known:
        known["catalogue"] = frozenset(known["catalogue"])
    return Context(**known)


def _part(part: Any) -> Any:
    if isinstance(part, list) and part and all(_is_exchange(one) for one in part):
        return [_part(one) for one in part]
    if not _is_exchange(part):
        return part
    fields = dict(part["exchange"])
    if "body" in fields:
        fields["response_body"] = json.dumps(fields.pop("body")).encode()
    elif "text" in fields:
        fields["response_body"] = fields.pop("text").encode()
    if "intent" in fields:
        fields["intent"] = Intent(fields["intent"])
    if "failure" in fields:
        fields["failure"] = Failure(fields["failure"])
    return Exchange(**fields)


def _is_exchange(part: Any) -> bool:
    return isinstance(part, dict) and part.keys() == {"exchange"}
