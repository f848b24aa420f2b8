"""The items of coverage follow from the specification and the schemas, and each is complete."""

import pytest

from deadringer.contracts import documented_codes, load_schema, operations
from deadringer.contracts.coverage import Section, coverage_items, situations
from deadringer.contracts.coverage.catalogue import items_met
from deadringer.contracts.coverage.derived import _NOT_HERE
from deadringer.contracts.coverage.model import RunRead
from deadringer.contracts.coverage.parts import parts_of
from deadringer.contracts.rules.http_responses import CODES
from deadringer.fixtures import load_recordings
from tests.contracts.coverage.observing import DETAIL, LIST, recorded, refused, sent

NAMES = [one.name for one in situations()]


def test_the_codes_of_the_specification_are_those_of_the_rules():
    for operation in operations():
        documented = documented_codes(operation.operation_id)

        assert set(map(str, documented)) == set(operation.described["responses"])
        for status in documented.keys() & CODES.keys():
            assert set(documented[status]) == CODES[status]


def test_every_operation_status_and_code_is_an_item():
    expected = {f"{Section.OPERATIONS}/{one.operation_id}" for one in operations()}
    for one in operations():
        for status, codes in documented_codes(one.operation_id).items():
            expected.add(f"{Section.STATUSES}/{one.operation_id}/{status}")
            expected |= {f"{Section.CODES}/{one.operation_id}/{code}" for code in codes}
    found = [item for item in coverage_items() if not item.startswith(Section.SITUATIONS)]

    assert set(found) == expected
    assert len(coverage_items()) == len(expected) + len(NAMES)


def test_every_status_of_the_schemas_is_a_situation():
    for level, schema in (("run", "execution"), ("step", "step"), ("row", "execution_row")):
        statuses = load_schema(schema)["properties"]["status"]["enum"]

        assert {f"{level}_{status}" for status in statuses} <= set(NAMES)


@pytest.mark.parametrize("schema", ["execution", "step"])
def test_every_nullable_member_is_a_situation_or_left_out_for_a_reason(schema):
    level = {"execution": "run"}.get(schema, schema)
    left_out = {place[1] for place in _NOT_HERE if place[0] == level and len(place) == 2}
    document = load_schema(schema)
    nullable = {
        name for name, one in document["properties"].items() if "null" in one.get("type", ())
    }
    by_status = {
        name
        for one in document["x-variants"]["members"].values()
        for name, described in one.items()
        if isinstance(described["type"], str) and described["type"] != "null"
    }

    for name in nullable - by_status - left_out:
        assert [one for one in NAMES if one.startswith(f"{name}_")], name


def test_every_situation_is_complete_and_its_name_is_unique():
    assert len(set(NAMES)) == len(NAMES) >= 50
    for one in situations():
        assert (one.matches is None) != (one.matches_after is None)
        assert one.title
        assert one.why.endswith(".")
        assert one.source
        assert one.steps
        assert not one.steps[-1].is_control


def met(exchange) -> set[str]:
    found = (item.partition("/") for item in items_met(exchange))
    return {name for section, _, name in found if section == Section.SITUATIONS}


@pytest.mark.parametrize(
    ("name", "some", "none"),
    [
        ("documented_example", {"run_completed", "column_config_filled"}, {"loop", "no_steps"}),
        ("crm_refuses_contact", {"run_failed", "error_object"}, {"error_text"}),
        ("loop_fails_half_way", {"loop", "loop_failed", "error_text"}, {"error_object"}),
        ("loop_over_commenters", {"loop", "step_name_null"}, {"loop_failed"}),
        ("two_hundred_steps", {"hundreds_of_steps"}, {"large_output"}),
        ("very_large_output", {"large_output"}, {"deep_output"}),
        ("deeply_nested_output", {"deep_output"}, {"other_scripts"}),
        ("many_scripts_and_emoji", {"other_scripts", "right_to_left", "emoji"}, {"deep_output"}),
        ("instant_failure", {"instant_run"}, {"run_of_hours"}),
        ("waits_for_hours", {"run_of_hours"}, {"instant_run"}),
    ],
)
def test_a_recorded_run_meets_what_it_shows(name, some, none):
    found = met(sent(DETAIL, recorded(name)))

    assert some <= found
    assert not none & found


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"null", b"[]", b"\xff", b'{"data": null}', b'{"data": {"steps": 7}}'),
        b'{"data": {"steps": [7, {}, {"output": [[]], "iteration": {}}], "status": []}}',
        b'{"data": {"executions": {}, "pagination": [], "items": null}}',
    ],
)
@pytest.mark.parametrize("path", [DETAIL, LIST, "/v1/workflows", "/v1/credits/balance"])
def test_a_body_of_any_shape_is_evaluated(path, body):
    for status in (200, 404):
        found = set(items_met(sent(path, status=status, response_body=body)))

        assert "situations/run_completed" not in found


def test_latin_texts_with_accents_are_not_of_another_script():
    run = {**recorded("documented_example"), "event_name": "Übersetzen – naïve “façade” ½ …"}

    assert "other_scripts" not in met(sent(DETAIL, run))


def test_a_large_body_without_a_large_output_is_not_one():
    run = recorded("documented_example")
    many = {**run, "steps": run["steps"] * 200}

    assert "large_output" not in met(sent(DETAIL, many))


PAGE = {
    "executions": [{"run_id": "run_1", "status": "completed"}],
    "pagination": {"page": 1, "page_size": 20, "total_count": 1, "total_pages": 1},
}
OTHERS = [
    *(sent(DETAIL, one.execution) for one in load_recordings()),
    sent(LIST, PAGE),
    sent(LIST, {**PAGE, "executions": [{"run_id": "run_1", "status": "failed"}]}),
    sent("/v1/workflows", {"items": [{}], "has_more": False}),
    refused(DETAIL, 404, "NOT_FOUND"),
]
"""Exchanges that meet different situations."""


@pytest.mark.parametrize("name", NAMES)
def test_a_situation_is_not_met_by_everything(name):
    (situation,) = (one for one in situations() if one.name == name)
    if situation.matches is None:
        reads = RunRead(200, run_status="completed"), RunRead(200, run_status="completed")
        assert not situation.matches_after(*reads)
        return
    parts = [part for one in OTHERS for part in parts_of(one).get(situation.found_in, ())]

    assert parts
    assert not all(map(situation.matches, parts))
