"""Rules about table columns and the values mapped to them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from deadringer.contracts.json_types import Json, JsonObject
from deadringer.contracts.violations import Severity, pointer_to

from .graph import graph_of
from .json_values import elements, equal, members, shown, text
from .model import Context, Group, Mismatch, Scope, rule
from .steps import Step, derived, step_statuses, steps_of

FIELDS = "Documentation of Execution Detail, fields `column_config` and `mapped_output`"
_PATH = re.compile(r"(?:\$\.)?[^.\[\]*?@$]+(?:\[\d+\])*(?:\.[^.\[\]*?@$]+(?:\[\d+\])*)*")
_INDEX = re.compile("0*([0-9]{1,15})")
"""An index: a longer one is that of no element, and Python reads no number of 5,000 digits."""
_WITHOUT_OUTPUT = frozenset({"pending", "running", "skipped"})
_UNKNOWN = object()
_NOWHERE = object()


@dataclass(frozen=True, slots=True)
class _Column:
    index: int
    column_id: str
    label: str
    step_id: str
    path: str


@derived
def _columns(execution: Json) -> tuple[_Column, ...]:
    found = []
    for index, column in enumerate(map(members, elements(execution.get("column_config")))):
        texts = [text(column.get(name)) for name in ("id", "label", "stepId", "fieldPath")]
        if all(one is not None for one in texts):
            found.append(_Column(index, *map(str, texts)))
    return tuple(found)


@derived
def _named_steps(execution: Json) -> frozenset[str]:
    """Return the ids of the steps that columns name."""
    return frozenset(column.step_id for column in _columns(execution))


def _has_columns(execution: JsonObject, _context: Context) -> bool:
    return bool(_columns(execution))


def _value_at(output: Json, path: str) -> Json:
    """Return the value at a path, _NOWHERE if none, _UNKNOWN for an unsupported path."""
    if not _PATH.fullmatch(path):
        return _UNKNOWN
    parts = re.findall(r"[^.\[\]]+", path.removeprefix("$."))
    found = _follow(output, parts)
    if found is _NOWHERE and parts[0] == "output" and "output" not in members(output):
        return _follow(output, parts[1:])
    return found


def _follow(value: Json, parts: list[str]) -> Json:
    for part in parts:
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and (index := _index(part)) is not None and index < len(value):
            value = value[index]
        else:
            return _NOWHERE
    return value


def _index(part: str) -> int | None:
    found = _INDEX.fullmatch(part)
    return int(found[1]) if found else None


@rule(
    "DR031",
    group=Group.MAPPING,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source=FIELDS,
    when=_has_columns,
    needs="a run with columns",
)
def column_ids_are_unique(execution: JsonObject, _context: Context) -> Iterator[Mismatch]:
    """No two columns have the same id.

    Mapped values are keyed by it, so one of two would be lost. Example: `col_summary`, `col_mood`.
    """
    seen: set[str] = set()
    for column in _columns(execution):
        if column.column_id in seen:
            yield Mismatch(
                pointer_to("column_config", column.index, "id"),
                "an id no other column has",
                shown(column.column_id),
                "use a unique id for each column",
            )
        seen.add(column.column_id)


@rule(
    "DR032",
    group=Group.DEFINITION,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source="Execution Detail, `column_config`: mappings applied to step outputs",
    when=lambda execution, context: bool(_columns(execution)) and graph_of(context) is not None,
    needs="a run with columns, and its workflow's definition",
)
def columns_name_known_steps(execution: JsonObject, context: Context) -> Iterator[Mismatch]:
    """Each column takes its value from an action of the definition.

    A column of a removed action stays empty for ever. Example: `"stepId": "agent-1"`.
    """
    graph = graph_of(context)
    for column in _columns(execution):
        if graph is not None and column.step_id not in graph.actions:
            yield Mismatch(
                pointer_to("column_config", column.index, "stepId"),
                f"one of {shown(sorted(graph.actions))}",
                shown(column.step_id),
                "remove the column, or name an action of the workflow",
            )


@rule(
    "DR033",
    group=Group.MAPPING,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source=FIELDS,
    when=lambda execution, _context: any(
        step.step_id not in _named_steps(execution) for step in steps_of(execution)
    ),
    needs="a step that no column names",
)
def steps_without_columns_map_nothing(
    execution: JsonObject, _context: Context
) -> Iterator[Mismatch]:
    """A step that no column names has no mapped output.

    Mapped values are produced from `column_config`; without it there is nothing to map. Example:
    `"column_config": null`, `"mapped_output": null`.
    """
    config = execution.get("column_config")
    readable = config is None or len(_columns(execution)) == len(elements(config))
    named = _named_steps(execution)
    for step in steps_of(execution):
        mapped = step.get("mapped_output")
        if mapped is None or step.step_id in named or step.step_id is None or not readable:
            continue
        yield Mismatch(
            step.at("mapped_output"),
            "null, since no column names the step",
            shown(mapped),
            "send null if column_config has no column for the step",
            Severity.WARNING if mapped == {} else None,
        )


@derived
def _mapped_steps(execution: Json) -> tuple[tuple[Step, list[_Column]], ...]:
    """Return the completed steps that columns name, with their columns."""
    columns, named = _columns(execution), _named_steps(execution)
    return tuple(
        (step, [column for column in columns if column.step_id == step.step_id])
        for step in steps_of(execution)
        if step.status == "completed" and step.step_id in named
    )


@rule(
    "DR034a",
    group=Group.MAPPING,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source=FIELDS,
    when=lambda execution, _context: bool(_mapped_steps(execution)),
    needs="a completed step that a column names",
)
def mapped_values_are_those_of_the_output(
    execution: JsonObject, _context: Context
) -> Iterator[Mismatch]:
    """Each mapped value is the value at the column's path inside the step's output.

    The table a user sees must show what the step produced. Keys may be column ids or labels. A
    missing value is only a warning. Example: the `fieldPath` `result.output` maps that text.
    """
    for step, columns in _mapped_steps(execution):
        mapped = members(step.get("mapped_output"))
        output = step.get("output")
        known = {name for column in columns for name in (column.column_id, column.label)}
        for name in mapped.keys() - known:
            yield Mismatch(
                step.at("mapped_output", name),
                f"one of {shown(sorted(known))}",
                shown(name),
                "key mapped values by the id of a column of this step",
            )
        for column in columns:
            yield from _wrong_value(step, column, mapped, _value_at(output, column.path))


def _wrong_value(
    step: Step, column: _Column, mapped: JsonObject, wanted: Json
) -> Iterator[Mismatch]:
    name = next((one for one in (column.column_id, column.label) if one in mapped), None)
    found = mapped.get(name) if name is not None else None
    if wanted is _UNKNOWN:
        return
    if wanted is _NOWHERE:
        if found is not None:
            yield _differs(step, str(name), "null, since there is no value at", column, found)
    elif found is None and wanted is not None:
        yield Mismatch(
            step.at("mapped_output", *([name] if name else [])),
            f"{shown(wanted)} for column {shown(column.column_id)}",
            "null" if name else "nothing there",
            "map every column with a value in the output",
            Severity.WARNING,
        )
    elif found is not None and not equal(wanted, found):
        yield _differs(step, str(name), f"{shown(wanted)}, the value at", column, found)


def _differs(step: Step, name: str, wanted: str, column: _Column, found: Json) -> Mismatch:
    return Mismatch(
        step.at("mapped_output", name),
        f"{wanted} {shown(column.path)} of the output",
        shown(found),
        "take the value from the output of the same step",
    )


@rule(
    "DR034b",
    group=Group.MAPPING,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source=FIELDS,
    when=lambda execution, _context: any(
        members(step.get("mapped_output")) for step, _ in _mapped_steps(execution)
    ),
    needs="a step with mapped values",
)
def mapped_values_have_one_kind_of_key(
    execution: JsonObject, _context: Context
) -> Iterator[Mismatch]:
    """All mapped values are keyed by column ids, or all by labels.

    Which of the two is not documented, but no client can read a document that mixes them. Example:
    `col_summary` everywhere.
    """
    columns = _columns(execution)
    labels = {column.label for column in columns}
    ids = {column.column_id for column in columns}
    kinds: dict[str, str] = {}
    for step, _ in _mapped_steps(execution):
        for name in members(step.get("mapped_output")):
            if (name in ids) != (name in labels):
                kinds.setdefault("id" if name in ids else "label", step.at("mapped_output", name))
    if len(kinds) == 2:
        yield Mismatch(
            kinds["label"],
            "the id of a column, as elsewhere in this document",
            "a label",
            "key every mapped value by the column's id",
        )


@rule(
    "DR144",
    group=Group.MAPPING,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source=f"{FIELDS}: mappings are applied to step outputs",
    when=lambda execution, _context: not step_statuses(execution).isdisjoint(_WITHOUT_OUTPUT),
    needs="a pending, running or skipped step",
)
def unfinished_step_maps_nothing(execution: JsonObject, _context: Context) -> Iterator[Mismatch]:
    """A pending, running or skipped step has no mapped values.

    They are produced from the output, and there is none. Example: `"status": "running",
    "mapped_output": null`.
    """
    for step in steps_of(execution):
        mapped = members(step.get("mapped_output"))
        if step.status in _WITHOUT_OUTPUT and any(value is not None for value in mapped.values()):
            yield Mismatch(
                step.at("mapped_output"),
                f"null, since the step is {step.status}",
                shown(mapped),
                "map the output when the step has completed",
            )


RULES = (
    column_ids_are_unique,
    columns_name_known_steps,
    steps_without_columns_map_nothing,
    mapped_values_are_those_of_the_output,
    mapped_values_have_one_kind_of_key,
    unfinished_step_maps_nothing,
)
