"""Load the documents to serve: the recordings, and the user's own executions and workflows."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import quote

from deadringer.contracts import JsonObject, exact_json_bytes
from deadringer.fixtures import (
    DocumentsError,
    WorkflowDocument,
    enveloped,
    load_folder,
    load_recordings,
)
from deadringer.mockserver.exceptions import StartError


class NamedRun(NamedTuple):
    """An execution with a name that people can look for."""

    name: str
    story: str
    status: str
    workflow_id: str
    run_id: str

    @property
    def path(self) -> str:
        """The path of its detail, percent-encoded."""
        workflow_id, run_id = (quote(part, safe="") for part in (self.workflow_id, self.run_id))
        return f"/v1/workflows/{workflow_id}/executions/{run_id}"


class ServedDocument(NamedTuple):
    """One execution to serve, and the file it came from."""

    execution: JsonObject
    origin: str
    name: str = ""
    story: str = ""


class ExecutionSource(Protocol):
    """What views need of executions that were loaded from files.

    Iterables may be very long, so callers take only the beginning. The ids most worth showing come
    first.
    """

    def detail_body(self, workflow_id: str, run_id: str) -> bytes | None:
        """Return the body of Execution Detail, None if that workflow has no such run."""

    def has_workflow(self, workflow_id: str) -> bool:
        """Return whether there is such a workflow."""

    def workflow_of(self, run_id: str) -> str | None:
        """Return the workflow a run belongs to."""

    def workflow_ids(self) -> Iterable[str]:
        """Return the known workflow ids."""

    def run_ids(self, workflow_id: str) -> Iterable[str]:
        """Return the run ids of one workflow."""

    def named_runs(self) -> Iterable[NamedRun]:
        """Return the runs that have a name."""

    def name_of(self, run_id: str) -> str | None:
        """Return the name of a run that has one."""

    def origin_of(self, run_id: str) -> str | None:
        """Return the file a run was loaded from."""

    def execution(self, workflow_id: str, run_id: str) -> JsonObject | None:
        """Return one execution as it was loaded; callers must not change it."""

    def all_executions(self) -> Iterable[JsonObject]:
        """Return every execution, in the order they were loaded."""

    def own_workflows(self) -> Sequence[JsonObject]:
        """Return the workflows of the user's files; others are known or derived."""


class LoadedExecutions:
    """Executions in memory, each serialized once, and the workflows of the user's files.

    A document that equals an earlier one is served once, such as a recording of this mock.

    Raises:
        StartError: if two different documents have the same run id.
    """

    def __init__(
        self, documents: Iterable[ServedDocument], workflows: Sequence[JsonObject] = ()
    ) -> None:
        self._own_workflows = workflows
        self._bodies: dict[tuple[str, str], bytes] = {}
        self._executions: dict[tuple[str, str], JsonObject] = {}
        self._runs: dict[str, list[str]] = {}
        self._workflow_by_run: dict[str, str] = {}
        self._named: dict[str, NamedRun] = {}
        self._origins: dict[str, str] = {}
        for document in documents:
            run_id = document.execution["run_id"]
            if run_id in self._origins:
                if self._is_known(document.execution):
                    continue
                raise _duplicate(run_id, self._origins[run_id], document.origin)
            self._origins[run_id] = document.origin
            self._add(document)

    def _is_known(self, execution: JsonObject) -> bool:
        key = execution["workflow_id"], execution["run_id"]
        return self._executions.get(key) == execution

    def _add(self, document: ServedDocument) -> None:
        execution = document.execution
        workflow_id, run_id = execution["workflow_id"], execution["run_id"]
        self._executions[workflow_id, run_id] = execution
        self._runs.setdefault(workflow_id, []).append(run_id)
        self._workflow_by_run[run_id] = workflow_id
        if document.name:
            self._named[run_id] = NamedRun(
                document.name, document.story, execution["status"], workflow_id, run_id
            )

    def detail_body(self, workflow_id: str, run_id: str) -> bytes | None:
        """Return the body of Execution Detail, None if that workflow has no such run."""
        body = self._bodies.get((workflow_id, run_id))
        execution = self._executions.get((workflow_id, run_id))
        if body is None and execution is not None:
            body = self._bodies[workflow_id, run_id] = envelope_bytes(execution)
        return body

    def has_workflow(self, workflow_id: str) -> bool:
        """Return whether there is such a workflow."""
        return workflow_id in self._runs

    def workflow_of(self, run_id: str) -> str | None:
        """Return the workflow a run belongs to."""
        return self._workflow_by_run.get(run_id)

    def workflow_ids(self) -> Iterator[str]:
        """Return the known workflow ids."""
        return iter(self._runs)

    def run_ids(self, workflow_id: str) -> Iterator[str]:
        """Return the run ids of one workflow."""
        return iter(self._runs.get(workflow_id, ()))

    def named_runs(self) -> Iterator[NamedRun]:
        """Return the runs that have a name."""
        return iter(self._named.values())

    def name_of(self, run_id: str) -> str | None:
        """Return the name of a run that has one."""
        named = self._named.get(run_id)
        return named.name if named else None

    def origin_of(self, run_id: str) -> str | None:
        """Return the file a run was loaded from."""
        return self._origins.get(run_id)

    def execution(self, workflow_id: str, run_id: str) -> JsonObject | None:
        """Return one execution as it was loaded; callers must not change it."""
        return self._executions.get((workflow_id, run_id))

    def all_executions(self) -> Iterator[JsonObject]:
        """Return every execution, in the order they were loaded."""
        return iter(self._executions.values())

    def own_workflows(self) -> Sequence[JsonObject]:
        """Return the workflows of the user's files."""
        return self._own_workflows


def envelope_bytes(execution: JsonObject) -> bytes:
    """Return the body of a successful Execution Detail response.

    Members keep their order, and numbers from files the digits they have there.
    """
    return exact_json_bytes(enveloped(execution))


def _duplicate(run_id: str, first: str, second: str) -> StartError:
    return StartError(
        f"{second}: run id {run_id!r} is already used by {first}. Change the run_id of one of them."
    )


def load_executions(folders: Sequence[Path]) -> LoadedExecutions:
    """Return the recordings and the documents of the folders.

    Raises:
        StartError: if a folder or document is invalid, or two different documents have the same
            id; the message lists file, place, reason and fix of each.
    """
    executions: list[ServedDocument] = []
    workflows: list[WorkflowDocument] = []
    problems: list[str] = []
    for folder in folders:
        try:
            found = load_folder(folder)
        except DocumentsError as problem:
            problems.append(str(problem))
            continue
        executions += [ServedDocument(one.execution, str(one.path)) for one in found.executions]
        workflows += found.workflows
    by_id: dict[str, JsonObject] = {}
    problems += _duplicate_workflows(workflows, by_id)
    if problems:
        raise StartError("\n".join(problems))
    return LoadedExecutions([*_recorded(), *executions], tuple(by_id.values()))


def _duplicate_workflows(
    documents: Iterable[WorkflowDocument], by_id: dict[str, JsonObject]
) -> Iterator[str]:
    """Put workflows into `by_id`; yield a line for each that differs from an earlier one."""
    for one in documents:
        workflow_id = one.workflow["id"]
        if by_id.setdefault(workflow_id, one.workflow) != one.workflow:
            yield (
                f"{one.path}: workflow {workflow_id!r} differs in another folder. "
                "Remove one of them, or change its id."
            )


def _recorded() -> Iterator[ServedDocument]:
    for recording in load_recordings():
        yield ServedDocument(
            recording.execution, str(recording.path), name=recording.name, story=recording.story
        )
