"""The place in `openapi.yaml` that a finding is about: line and column of a response."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from deadringer.contracts.check.report import Finding
from deadringer.contracts.specification import METHODS, specification_text

SPECIFICATION_FILE = "openapi.yaml"


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the file; lines and columns begin at 1, and the end column is the one behind."""

    start_line: int
    start_column: int
    end_line: int
    end_column: int


def region_of(finding: Finding) -> Region:
    """Return where the specification describes the response that violates the rule.

    That is the response of the status received, else the operation, else all paths.
    """
    status = finding.examples[0].request.rpartition(" -> ")[2]
    known = regions()
    operation = finding.operation_id or ""
    return known.get((operation, status)) or known.get((operation, "")) or known["", ""]


@cache
def regions() -> Mapping[tuple[str, str], Region]:
    """Return the regions of all paths, `("", "")`, of each operation, and of its responses."""
    text = specification_text()
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    lines = text.splitlines()
    paths_key, paths = _member(yaml.compose(text, Loader=loader), "paths")
    found = {("", ""): _region(paths_key, paths, lines)}
    for item in (value for _, value in paths.value):
        for key, operation in item.value:
            if key.value not in METHODS:
                continue
            name = _member(operation, "operationId")[1].value
            found[name, ""] = _region(key, operation, lines)
            for status, response in _member(operation, "responses")[1].value:
                found[name, status.value] = _region(status, response, lines)
    return found


def _member(mapping: Any, name: str) -> tuple[Any, Any]:
    pairs: Iterator[tuple[Any, Any]] = (pair for pair in mapping.value if pair[0].value == name)
    return next(pairs)


def _region(key: Any, value: Any, lines: list[str]) -> Region:
    """Return from where a key begins to where its value ends; a block ends with its last text."""
    last, column = value.end_mark.line, value.end_mark.column
    while not lines[last][:column].strip() if last < len(lines) else True:
        last -= 1
        column = len(lines[last])
    start = key.start_mark
    return Region(start.line + 1, start.column + 1, last + 1, len(lines[last][:column]) + 1)
