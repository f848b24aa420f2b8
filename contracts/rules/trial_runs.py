"""Rules about runs started with Test Workflow."""

from collections.abc import Iterator

from deadringer.contracts.json_types import Json, JsonObject
from deadringer.contracts.violations import Severity, pointer_to

from .json_values import elements, equal, members, shown, text
from .model import Context, Group, Mismatch, Scope, rule

_SOURCE = "Test Workflow: responds at once with `test_run_id`; poll Execution Detail"
_NEEDS = "a test run (--allow-writes), which only a check that may write starts"


def _was_started(_body: Json, data: Json, _execution: Json, _context: Context) -> bool:
    return bool(text(members(data).get("test_run_id")))


def _was_read(body: Json, data: Json, execution: Json, context: Context) -> bool:
    return _was_started(body, data, execution, context) and isinstance(execution, dict)


def _has_mocked_steps(body: Json, data: Json, execution: Json, context: Context) -> bool:
    was_read = _was_read(body, data, execution, context)
    return was_read and next(_mocked_steps(body, execution), None) is not None


def _mocked_steps(body: Json, execution: Json) -> Iterator[tuple[int, JsonObject, Json]]:
    """Yield (index, completed step, output of its mock)."""
    mocks = members(members(members(body).get("test_config")).get("action_mocks"))
    for index, step in enumerate(elements(members(execution).get("steps"))):
        mock = members(mocks.get(text(members(step).get("step_id")) or ""))
        has_mock = mock.get("enabled") is True and "output" in mock
        if has_mock and step.get("status") == "completed":
            yield index, step, mock["output"]


@rule(
    "DR036a",
    group=Group.TEST_RUN,
    severity=Severity.ERROR,
    scope=Scope.TEST_RUN,
    source=_SOURCE,
    when=_was_started,
    needs=_NEEDS,
)
def started_test_is_readable(
    _body: Json, data: Json, execution: Json, _context: Context
) -> Iterator[Mismatch]:
    """The `test_run_id` of a started test is accepted as `runId` by Execution Detail.

    It is the only way to read the result of a test. Example: 404 for the id that Test Workflow
    returned, for as long as the check polls.
    """
    wanted = data["test_run_id"]
    if execution is None:
        yield Mismatch(
            "",
            f"run {shown(wanted)} to be readable",
            "no successful response from Execution Detail",
            "store the test run before returning its id",
        )
    run_id = text(members(execution).get("run_id"))
    if run_id is not None and run_id != wanted:
        yield Mismatch(
            "/run_id",
            f"{shown(wanted)}, the `test_run_id`",
            shown(run_id),
            "return the id under which the run is stored as `test_run_id`",
        )


@rule(
    "DR036b",
    group=Group.TEST_RUN,
    severity=Severity.WARNING,
    scope=Scope.TEST_RUN,
    source=_SOURCE,
    when=_was_read,
    needs=_NEEDS,
)
def started_test_ends(
    _body: Json, _data: Json, execution: Json, _context: Context
) -> Iterator[Mismatch]:
    """A test run ends while the check polls it.

    A polling client waits for the end. Only a warning, because the maximum duration of a run is not
    documented.
    """
    if execution.get("status") == "running":
        yield Mismatch(
            "/status",
            "completed or failed by the end of the polling",
            shown("running"),
            "end the run, or poll it for longer",
        )


@rule(
    "DR036c",
    group=Group.TEST_RUN,
    severity=Severity.ERROR,
    scope=Scope.TEST_RUN,
    source="Test Workflow, `workflow_id`; Execution Detail, `workflow_id`",
    when=_was_read,
    needs=_NEEDS,
)
def started_test_is_of_its_workflow(
    _body: Json, data: Json, execution: Json, _context: Context
) -> Iterator[Mismatch]:
    """A test run belongs to the workflow that Test Workflow named.

    Clients read its detail under that workflow's id. Example: `wf_draft1` in the detail of a run
    that was started as a test of `wf_abc123`.
    """
    wanted, detailed = text(data.get("workflow_id")), text(execution.get("workflow_id"))
    if wanted is not None and detailed is not None and wanted != detailed:
        yield Mismatch(
            "/workflow_id",
            f"{shown(wanted)}, as Test Workflow returned",
            shown(detailed),
            "store the test run under the workflow it tests",
        )


@rule(
    "DR037",
    group=Group.TEST_RUN,
    severity=Severity.ERROR,
    scope=Scope.TEST_RUN,
    source="Test Workflow, `test_config.action_mocks`",
    when=_has_mocked_steps,
    needs="a test run with a mocked action that completed",
)
def mocked_actions_give_the_mock(
    body: Json, _data: Json, execution: Json, _context: Context
) -> Iterator[Mismatch]:
    """A completed step of a mocked action has the mock's output.

    A mock prevents real side effects; another output means that the action ran and cost credits.
    Example: mock `{"ok": true}`, output `{"result": {"ok": true}}`.
    """
    for index, step, output in _mocked_steps(body, execution):
        if not equal(output, step.get("output")):
            yield Mismatch(
                pointer_to("steps", index, "output"),
                f"{shown(output)}, as the action is mocked",
                shown(step.get("output")),
                "copy the mock's `output` and do not run the action",
            )


RULES = (
    started_test_is_readable,
    started_test_ends,
    started_test_is_of_its_workflow,
    mocked_actions_give_the_mock,
)
