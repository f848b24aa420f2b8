"""Completeness of the rules: what holds in all responses of the mock is a rule, or refused."""

import copy
import re
from collections.abc import Iterator

import pytest

from deadringer import contracts
from deadringer.contracts import Json
from deadringer.contracts.rules import RULES, Group, Scope, validate_execution
from tests.mutation.invariants import ENOUGH, invariants_of
from tests.mutation.known_invariants import KNOWN, RULE_NAMES, explanation_of
from tests.mutation.samples import Samples, responses

KNOWN_PARTS = ("path", "query", "run", "status")
OPAQUE = ("input", "output", "mapped_output", "inputs", "outputs", "details")
SCHEMAS = {
    "workflow page": "workflow_list_envelope",
    "workflow": "workflow_envelope",
    "balance": "credit_balance_envelope",
    "run page": "execution_list_envelope",
    "run": "execution_envelope",
    "step": "step",
    "row": "execution_row",
    "catalogue": "action_list_envelope",
    "action": "action",
    "error": "error",
}
FAR = "9999-12-31T23:59:59.000Z"
CONTRADICTIONS = {
    "is always there": lambda value: None,
    "is there iff": lambda value: None,
    "is an integer": lambda value: value + 0.5,
    ">=": lambda value: -1,
    "is one of": lambda value: "something else",
    "is not blank": lambda value: "",
    "is a time": lambda value: value.replace("Z", "+00:00"),
    "==": lambda value: value + (1000 if isinstance(value, int) else "x"),
    "<=": lambda value: 10**9 if isinstance(value, int) else FAR,
}
"""What contradicts an invariant with these words if its first member has that value instead."""


def numbered(**more: int) -> list[Json]:
    return [
        {"id": f"id {n}", "count": n, "twice": 2 * n, "of": {"list": [0] * n}, **more}
        for n in range(ENOUGH)
    ]


def test_relations_between_members_are_inferred() -> None:
    found = invariants_of(numbered(three=3))

    assert "count == len(of.list)" in found
    assert "count <= twice" in found
    assert "count >= 0" in found
    assert "three is always 3" in found
    assert "id is not blank" in found


@pytest.mark.parametrize(
    ("document", "lost"),
    [
        ({"id": "x", "count": 5, "twice": 10, "of": {"list": []}}, "count == len(of.list)"),
        ({"id": "x", "count": 5, "twice": 4, "of": {"list": [0] * 5}}, "count <= twice"),
        ({"id": "x", "count": -1, "twice": 0, "of": {"list": []}}, "count >= 0"),
        ({"id": " ", "count": 0, "twice": 0, "of": {"list": []}}, "id is not blank"),
        ({"count": 0, "twice": 0, "of": {"list": []}}, "id is always there"),
    ],
)
def test_one_document_is_enough_to_contradict(document: dict, lost: str) -> None:
    assert lost in invariants_of(numbered())
    assert lost not in invariants_of([*numbered(), document])


def test_presence_is_inferred_from_the_values_of_another_member() -> None:
    documents = [{"status": "failed", "error": f"error {n}"} for n in range(ENOUGH)]
    documents += [{"status": "completed", "error": None} for _ in range(ENOUGH)]

    assert "error is there iff status is failed" in invariants_of(documents)


def test_times_are_compared_with_durations() -> None:
    documents = [
        {"started_at": f"2026-03-27T10:15:{n:02}.000Z", "ended_at": "2026-03-27T10:16:00.000Z"}
        | {"ms": (60 - n) * 1000}
        for n in range(ENOUGH)
    ]

    assert "ms == span(ended_at)" in invariants_of(documents)


def test_what_no_row_explains_is_reported() -> None:
    assert explanation_of("run", "data.step_count == len(data.steps)") is None


def test_rows_name_rules_that_exist() -> None:
    named = {row.verdict.removeprefix("rule ") for row in KNOWN if row.verdict.startswith("rule ")}

    assert named - RULE_NAMES == set()


@pytest.fixture(scope="module")
def samples() -> Samples:
    return responses(range(4))


@pytest.fixture(scope="module")
def inferred(samples: Samples) -> list[tuple[str, str]]:
    """The invariants of some thousand responses, each with its kind of document."""
    assert sum(len(documents) for documents in samples.values()) > 5000
    return [
        (kind, invariant)
        for kind, documents in samples.items()
        for invariant in invariants_of(documents, known=KNOWN_PARTS, opaque=OPAQUE)
    ]


@pytest.mark.slow
@pytest.mark.xdist_group("invariants")
def test_every_inferred_invariant_is_a_rule_or_refused(inferred: list[tuple[str, str]]) -> None:
    assert len(inferred) > 150
    assert [one for one in inferred if explanation_of(*one) is None] == []


@pytest.mark.slow
@pytest.mark.xdist_group("invariants")
def test_every_row_explains_an_inferred_invariant(inferred: list[tuple[str, str]]) -> None:
    used = {explanation_of(*one) for one in inferred}

    assert [row for row in KNOWN if row not in used] == []


def broken(document: Json, invariant: str) -> Json | None:
    """Return a copy that contradicts the invariant in its first member; None if that is not so."""
    words = next((words for words in CONTRADICTIONS if f" {words}" in invariant), None)
    first, second = re.sub(r"(len|span)\((.*?)\)", r"\2", invariant).split(" ")[::2][:2]
    copied = copy.deepcopy(document)
    parent, last = holder_of(copied, first)
    other, name = holder_of(copied, second)
    if words is None or parent.get(last) is None:
        return None
    if words in {"==", "<="} and (other.get(name) is None or isinstance(parent[last], list)):
        return None
    parent[last] = CONTRADICTIONS[words](parent[last])
    if words == "is always there":
        del parent[last]
    return copied


def holder_of(document: Json, path: str) -> tuple[dict, str]:
    """Return the object that may have the member of a path, and the name of the member."""
    *above, last = path.split(".")
    for name in above:
        document = document.get(name) if isinstance(document, dict) else None
    return (document if isinstance(document, dict) else {}), last


def broken_documents(
    samples: Samples, inferred: list[tuple[str, str]], verdict: str
) -> Iterator[tuple[str, str, Json]]:
    """Yield kind, invariant and one document that contradicts it, where a row has the verdict."""
    for kind, invariant in inferred:
        row = explanation_of(kind, invariant)
        if row and row.verdict.startswith(verdict):
            copies = (broken(document, invariant) for document in samples[kind])
            first = next((one for one in copies if one is not None), None)
            if first is not None:
                yield kind, invariant, first


@pytest.mark.slow
@pytest.mark.xdist_group("invariants")
def test_the_schema_refuses_what_it_is_said_to_refuse(
    samples: Samples, inferred: list[tuple[str, str]]
) -> None:
    tried = list(broken_documents(samples, inferred, "schema "))

    accepted = [
        (kind, invariant)
        for kind, invariant, document in tried
        if contracts.is_valid(document.get(kind, document), SCHEMAS[kind])
    ]
    assert len(tried) > 50
    assert accepted == []


@pytest.mark.slow
@pytest.mark.xdist_group("invariants")
def test_the_rules_refuse_what_they_are_said_to_refuse_in_a_run(
    samples: Samples, inferred: list[tuple[str, str]]
) -> None:
    of_one_run = {
        rule.name
        for rule in RULES
        if rule.scope is Scope.EXECUTION and rule.group is not Group.DEFINITION
    }
    tried, missed = [], []
    for kind, invariant, document in broken_documents(samples, inferred, "rule "):
        rule = explanation_of(kind, invariant).verdict.removeprefix("rule ")
        if kind == "run" and rule in of_one_run:
            tried.append(rule)
            found = {one.rule for one in validate_execution(document["data"])}
            missed += [] if rule in found else [(invariant, sorted(found))]

    assert len({*tried}) >= 5
    assert missed == []
