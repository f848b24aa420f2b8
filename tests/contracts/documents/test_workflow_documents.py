"""A stored workflow is validated by its schema, bare or in a response."""

import copy

import pytest

from deadringer.contracts import load_schema
from deadringer.contracts.documents import validate_document

WORKFLOW = load_schema("workflow")["examples"][0]


def enveloped(workflow: object) -> object:
    return {"success": True, "message": "Workflow retrieved successfully", "data": workflow}


@pytest.mark.parametrize(("wrap", "below"), [(copy.copy, ""), (enveloped, "/data")])
def test_a_workflow_is_recognized_and_validated(wrap, below: str) -> None:
    broken = WORKFLOW | {"name": None}

    found = validate_document(wrap(broken))

    assert validate_document(wrap(WORKFLOW)) == []
    assert [(one.rule, one.pointer) for one in found] == [("schema", f"{below}/name")]
