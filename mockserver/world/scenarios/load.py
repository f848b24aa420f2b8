"""Load scenarios by name, from files and from requests; list their names and runs."""

from collections.abc import Collection, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from deadringer.contracts import Json, JsonObject
from deadringer.contracts.input_files import InputFileError, read_text_file
from deadringer.mockserver.exceptions import StartError
from deadringer.mockserver.schema_errors import Problem

from .model import Scenario

if TYPE_CHECKING:
    from .yaml import Mark, Marked


_READY = files(__package__) / "ready"
SUFFIXES = (".yaml", ".yml", ".json")


class ScenarioError(StartError):
    """A scenario cannot be served; `lines` holds one line per reason."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = list(lines)


@cache
def ready_names() -> tuple[str, ...]:
    """Return the names of the bundled scenarios."""
    names = (entry.name for entry in _READY.iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml")))


def load_scenario(named: str, seed: int, served: Collection[str] = ()) -> Scenario:
    """Return a bundled scenario by name, or one from a file; `served` is as in `problems_with`.

    Raises:
        ScenarioError: if there is none or it is invalid; each reason has file, line and column.
    """
    if named in ready_names():
        return _read(
            (_READY / f"{named}.yaml").read_text("utf-8"), f"{named}.yaml", named, seed, ()
        )
    path = Path(named)
    if path.suffix not in SUFFIXES:
        known = ", ".join(ready_names())
        raise ScenarioError(
            [f"There is no scenario {named!r}. Use one of {known}, or a file that ends in .yaml."]
        )
    try:
        text = read_text_file(path)
    except InputFileError as problem:
        raise ScenarioError(
            [f"{path}: cannot be read: {problem}. Fix: name a readable UTF-8 file."]
        ) from problem
    return _read(text, str(path), path.stem, seed, served)


def scenario_from(document: Json, name: str, seed: int, served: Collection[str] = ()) -> Scenario:
    """Return the scenario a request sent; `served` is as in `problems_with`.

    Raises:
        ScenarioError: if it is invalid; each line begins with the place in the document.
    """
    from .validate import problems_with  # not needed to start without a scenario

    problems = problems_with(document, seed, served)
    if problems:
        raise ScenarioError([one.line for one in problems])
    assert isinstance(document, dict)
    return Scenario(name, document)


def _read(text: str, origin: str, name: str, seed: int, served: Collection[str]) -> Scenario:
    from .validate import problems_with
    from .yaml import YamlProblemError, read_marked

    try:
        marked = read_marked(text)
    except YamlProblemError as problem:
        place = _place(origin, problem.mark)
        raise ScenarioError([f"{place}: {problem.problem}. Fix: correct the YAML."]) from problem
    problems = problems_with(marked.value, seed, served)
    if problems:
        in_order = sorted(problems, key=lambda one: marked.place(one.path))
        raise ScenarioError([_line(origin, marked, one) for one in in_order])
    return Scenario(name, marked.value)


def _line(origin: str, marked: "Marked", problem: Problem) -> str:
    where = "/".join(str(part) for part in problem.path) or "the document"
    mark = marked.place(problem.path)
    return f"{_place(origin, mark)}: {where}: {problem.problem}. Fix: {problem.fix}."


def _place(origin: str, mark: "Mark") -> str:
    return f"{origin}:{mark.line}:{mark.column}"


def nameable(current: Scenario | None, seed: int) -> dict[str, Scenario]:
    """Return the bundled scenarios and the session's current one, by name."""
    ready = {name: _ready(name, seed) for name in ready_names()}
    return {**ready, current.name: current} if current else ready


def runs_by_name(scenario: Scenario) -> dict[str, JsonObject]:
    """Return the scenario's run entries by `run_id`, or by position from 1 where it is missing."""
    entries = scenario.run_entries()
    return {str(one.get("run_id", place)): one for place, one in enumerate(entries, 1)}


@cache
def _ready(name: str, seed: int) -> Scenario:
    return load_scenario(name, seed)
