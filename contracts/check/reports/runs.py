"""The runs with findings, each once, for the trace view of the HTML report."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from deadringer.contracts.check.report import Example
from deadringer.contracts.json_types import Json, JsonObject
from deadringer.contracts.trace_view import island, violations_json
from deadringer.contracts.violations import Violation

MOST_RUNS = 20
MOST_CHARACTERS = 8_000_000
_HOLDERS = ("", "/data", "/execution")
"""Where an execution is in a document: bare, in its response, beside its row."""


@dataclass(slots=True)
class ShownRun:
    """One run as it was read, with its violations."""

    anchor: str
    execution: JsonObject
    violations: list[Violation] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The run's id."""
        return str(self.execution.get("run_id", "a run without an id"))

    @property
    def island(self) -> str:
        """The document for the trace view."""
        violations = violations_json(self.violations)
        return island({"execution": self.execution, "violations": violations})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a violation is: in which run, and where in it."""

    anchor: str
    pointer: str


@dataclass(slots=True)
class Runs:
    """The runs of a report. Few enough to open in a browser: `left_out` counts the others."""

    shown: list[ShownRun] = field(default_factory=list)
    left_out: int = 0
    _by_text: dict[str, ShownRun | None] = field(default_factory=dict)
    _places: dict[int, Place] = field(default_factory=dict)
    _characters: int = 0

    def place_of(self, example: Example) -> Place | None:
        """Return the place of an example, None if its run is not shown."""
        return self._places.get(id(example))

    def add(self, example: Example) -> None:
        """Add an example, if its violation is in a run."""
        pointer = example.violation.pointer
        for holder in _HOLDERS:
            execution = _execution_at(example.document, holder)
            if execution is not None and f"{pointer}/".startswith(f"{holder}/"):
                moved = replace(example.violation, pointer=pointer[len(holder) :])
                self._place(example, execution, moved)
                return

    def _place(self, example: Example, execution: JsonObject, violation: Violation) -> None:
        run = self._run(execution)
        if run is None:
            return
        if violation not in run.violations:
            run.violations.append(violation)
        self._places[id(example)] = Place(run.anchor, violation.pointer)

    def _run(self, execution: JsonObject) -> ShownRun | None:
        text = json.dumps(execution, sort_keys=True)
        if text not in self._by_text:
            fits = self._characters + len(text) <= MOST_CHARACTERS
            if fits and len(self.shown) < MOST_RUNS:
                self._characters += len(text)
                self.shown.append(ShownRun(f"run-{len(self.shown) + 1}", execution))
                self._by_text[text] = self.shown[-1]
            else:
                self.left_out += 1
                self._by_text[text] = None
        return self._by_text[text]


def runs_of(examples: Iterable[Example]) -> Runs:
    """Return the runs of examples, the first ones first."""
    runs = Runs()
    for example in examples:
        runs.add(example)
    return runs


def _execution_at(document: Json, holder: str) -> JsonObject | None:
    """Return the execution there, None if it is none."""
    found = document
    if holder:
        found = document.get(holder[1:]) if isinstance(document, dict) else None
    is_execution = isinstance(found, dict) and "run_id" in found and "steps" in found
    return found if is_execution else None
