"""Everything a user can control is documented: every reserved id, preference and fault."""

import re

import pytest

from deadringer.contracts import specification_text
from deadringer.mockserver.api.prefer import QUERY_FORMS
from deadringer.mockserver.faults.transport import CHAOS, KINDS, NAMED_FAULTS, SCOPE
from deadringer.mockserver.world.reserved_ids import RESERVED_RUNS, RESERVED_WORKFLOWS
from tests.project import ROOT

RESPONSES = (ROOT / "docs" / "guides" / "responses.md").read_text("utf-8")
FAULTS = (ROOT / "docs" / "reference" / "transport-faults.md").read_text("utf-8")
PREFERENCES = ("code", "example", "status", "steps", "seed", "dynamic", "delay", "fault")


def missing(names, text):
    return [
        name for name in names if not re.search(rf"`[^`\n]*\b{re.escape(name)}\b[^`\n]*`", text)
    ]


@pytest.mark.parametrize("text", [RESPONSES, specification_text()])
def test_every_magic_id_is_listed_and_no_other(text):
    runs = set(re.findall(r"`(run_(?:[a-z_]+|\d{3}))`", text))
    workflows = set(re.findall(r"`(wf_(?:[a-z_]+|\d{3}))`", text))

    assert runs - {"run_id"} == set(RESERVED_RUNS)
    assert workflows == set(RESERVED_WORKFLOWS)


def test_every_preference_and_query_form_is_documented():
    assert missing(PREFERENCES, RESPONSES) == []
    assert missing([f"__{name}" for name in QUERY_FORMS], RESPONSES) == []


def test_every_fault_its_parameters_and_every_mix_are_documented():
    parameters = {name for kind in KINDS.values() for name in kind.parameters}
    schedule = {"share", "seed", "count", "every", "length", "from_s", "until_s"}

    names = [*KINDS, *NAMED_FAULTS, *CHAOS, *SCOPE, *sorted(parameters | schedule)]

    assert missing(names, FAULTS) == []
