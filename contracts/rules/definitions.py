"""Rules about a run and the definition of its workflow."""

from collections.abc import Iterator

from deadringer.contracts.json_types import Json, JsonObject
from deadringer.contracts.violations import Severity, pointer_to

from .graph import SOURCE, Graph, graph_of
from .json_values import elements, members, shown, text
from .model import Context, Group, Mismatch, Scope, rule
from .steps import Step, steps_of

DEFINITIONS = "Documentation of workflow definitions and of Execution Detail"
_UNRESOLVED = ("!ref(", "{{")


def _defined(execution: JsonObject, context: Context) -> bool:
    return graph_of(context) is not None and bool(steps_of(execution))


def _known_steps(execution: JsonObject, context: Context) -> Iterator[tuple[Step, JsonObject]]:
    graph = graph_of(context)
    for step in steps_of(execution):
        action = graph.actions.get(step.step_id or "") if graph is not None else None
        if action is not None:
            yield step, action


@rule(
    "DR023a",
    group=Group.DEFINITION,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source=f"{DEFINITIONS}: `step_id`",
    when=_defined,
    needs="a run with steps, and its workflow's definition",
)
def steps_are_actions_of_the_definition(
    execution: JsonObject, context: Context
) -> Iterator[Mismatch]:
    """Every step is an action of the workflow's definition.

    User interfaces draw the run on the workflow's graph and cannot place other steps. Example:
    `agent-1` is in `actions[].id`.
    """
    graph = graph_of(context)
    if graph is None:
        return
    for step in steps_of(execution):
        if step.step_id is not None and step.step_id not in graph.actions:
            yield Mismatch(
                step.at("step_id"),
                f"one of {shown(sorted(graph.actions))}",
                shown(step.step_id),
                "send the action's id as step_id",
            )


@rule(
    "DR023b",
    group=Group.DEFINITION,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source=f"{DEFINITIONS}: `operation`, `step_name`",
    when=_defined,
    needs="a run with steps, and its workflow's definition",
)
def steps_carry_kind_and_name_of_their_action(
    execution: JsonObject, context: Context
) -> Iterator[Mismatch]:
    """A step's operation is its action's kind, and its name the action's name.

    Icons and labels depend on both. A step of an action without a name has no name. Example:
    `generic_agent`, `Summarise Post`.
    """
    for step, action in _known_steps(execution, context):
        for member, source in (("operation", "kind"), ("step_name", "name")):
            wanted, found = action.get(source), step.get(member)
            if wanted != found and _is_text_or_null(wanted) and _is_text_or_null(found):
                yield Mismatch(
                    step.at(member),
                    f"{shown(wanted)}, the action's {source}",
                    shown(found),
                    f"copy {source} from the definition",
                )


def _is_text_or_null(value: Json) -> bool:
    return value is None or isinstance(value, str)


@rule(
    "DR024",
    group=Group.DEFINITION,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source=f"{DEFINITIONS}: `event_name` is the trigger event",
    when=lambda execution, context: (
        text(members(members(context.definition).get("trigger")).get("kind")) is not None
        and text(execution.get("event_name")) is not None
    ),
    needs="a run, and its workflow's definition with a trigger",
)
def event_name_is_the_trigger_kind(execution: JsonObject, context: Context) -> Iterator[Mismatch]:
    """The event name is the kind of the workflow's trigger.

    Filters by event rely on it. Example: `workflows/new-post`.
    """
    kind = members(members(context.definition).get("trigger"))["kind"]
    if execution["event_name"] != kind:
        yield Mismatch(
            "/event_name",
            f"{shown(kind)}, the trigger's kind",
            shown(execution["event_name"]),
            "send the kind of the trigger that started the run",
        )


@rule(
    "DR026",
    group=Group.DEFINITION,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source="Documentation of Execution Detail, field `input`: resolved input values",
    when=lambda execution, context: any(
        _is_unresolved(action.get("inputs")) for _, action in _known_steps(execution, context)
    ),
    needs="a step of an action with a reference in its inputs",
)
def inputs_are_resolved(execution: JsonObject, context: Context) -> Iterator[Mismatch]:
    """References in the definition's inputs are resolved in the step's input.

    The input shows what the action received. Only places where the definition has a reference are
    validated, because a user's own text may contain braces. Example: `{{ !ref(…) }}` became the
    post's text.
    """
    for step, action in _known_steps(execution, context):
        found = _unresolved(action.get("inputs"), step.get("input"))
        for path, value in found:
            yield Mismatch(
                step.at("input", *path),
                "the value of the reference",
                shown(value),
                "resolve references before the action runs",
            )


def _unresolved(
    defined: Json, sent: Json, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield (path, text) of every unresolved reference, in places where the definition has one."""
    waiting = [(path, defined, sent)]
    while waiting:
        place, one, other = waiting.pop()
        if isinstance(one, dict) and isinstance(other, dict):
            waiting += [((*place, name), one[name], other[name]) for name in one if name in other]
        elif isinstance(one, list) and isinstance(other, list):
            pairs = enumerate(zip(one, other, strict=False))
            waiting += [((*place, index), left, right) for index, (left, right) in pairs]
        elif _still_refers(one, other):
            yield place, other


def _still_refers(defined: Json, sent: Json) -> bool:
    if not isinstance(defined, str) or not isinstance(sent, str):
        return False
    return any(mark in defined and mark in sent for mark in _UNRESOLVED)


def _is_unresolved(defined: Json) -> bool:
    return next(_unresolved(defined, defined), None) is not None


@rule(
    "DR027",
    group=Group.DEFINITION,
    severity=Severity.WARNING,
    scope=Scope.EXECUTION,
    source="Inferred from the two out-edges of an `if`",
    when=lambda execution, context: (
        execution.get("status") == "completed" and bool(_visible_forks(execution, context))
    ),
    needs="a completed run through an `if`, and its workflow's definition",
)
def one_branch_of_an_if_runs(execution: JsonObject, context: Context) -> Iterator[Mismatch]:
    """Of the two branches of an `if`, exactly one has steps that are not skipped.

    Both or none would mean that the condition was both true and false. Example: `alert`
    completed, `digest` skipped.
    """
    for fork, ran in _visible_forks(execution, context):
        if len(ran) != 1:
            got = "both" if ran else "neither"
            yield Mismatch(
                "/steps",
                f"steps of one branch of {shown(fork)} that are not skipped",
                got,
                "skip the branch with the false condition",
            )


def _visible_forks(execution: JsonObject, context: Context) -> list[tuple[str, list[str]]]:
    """Return (id of the `if`, first actions of branches that ran) for ifs with visible branches."""
    graph = graph_of(context)
    if graph is None:
        return []
    statuses: dict[str, set[str | None]] = {}
    for step in steps_of(execution):
        statuses.setdefault(step.step_id or "", set()).add(step.status)
    forks = []
    for fork in _forks(graph):
        heads = [*graph.targets(fork, "if"), *graph.targets(fork, "else")]
        if fork in graph.inside_loops or len(heads) != 2 or not set(heads) & statuses.keys():
            continue
        if all(_is_action(graph, head) for head in heads):
            forks.append(
                (fork, [head for head in heads if statuses.get(head, set()) - {"skipped"}])
            )
    return forks


def _forks(graph: Graph) -> list[str]:
    return sorted({start for start, _, kind in graph.edges if kind == "if"})


def _is_action(graph: Graph, action_id: str) -> bool:
    kind = text(graph.actions.get(action_id, {}).get("kind"))
    return kind is not None and not kind.startswith("builtin:")


@rule(
    "DR030",
    group=Group.DEFINITION,
    severity=Severity.WARNING,
    scope=Scope.EXECUTION,
    source="Documentation of List Workflow Actions; the catalogue grows",
    when=lambda execution, context: bool(context.catalogue) and bool(steps_of(execution)),
    needs="a run with steps, and the catalogue of actions",
)
def operations_are_in_the_catalogue(execution: JsonObject, context: Context) -> Iterator[Mismatch]:
    """Every operation is a kind listed by List Workflow Actions, or built in.

    A client looks up name and price there. The catalogue grows, so this is a warning. Example:
    `generic_agent`, `builtin:loop`.
    """
    for step in steps_of(execution):
        operation = text(step.get("operation"))
        if operation is None or operation.startswith("builtin:"):
            continue
        if operation not in (context.catalogue or ()):
            yield Mismatch(
                step.at("operation"),
                "a kind of List Workflow Actions",
                shown(operation),
                "add the kind to the catalogue",
            )


@rule(
    "DR110",
    group=Group.DEFINITION,
    severity=Severity.WARNING,
    scope=Scope.WORKFLOW,
    source="Inferred from the documented definition",
    when=lambda workflow, _context: bool(
        elements(members(members(workflow).get("workflow")).get("edges"))
    ),
    needs="a workflow with edges",
)
def edges_join_known_actions(workflow: JsonObject, _context: Context) -> Iterator[Mismatch]:
    """Every edge of a definition leads from the source or an action to an action of the definition.

    An edge to nowhere cannot be drawn. Example: from `$source` to `agent-1`.
    """
    graph = Graph(members(members(workflow).get("workflow")))
    for index, edge in enumerate(elements(graph.definition.get("edges"))):
        for end in ("from", "to"):
            action_id = text(members(edge).get(end))
            allowed = graph.actions.keys() | ({SOURCE} if end == "from" else set())
            if action_id is not None and action_id not in allowed:
                yield Mismatch(
                    pointer_to("workflow", "edges", index, end),
                    f"one of {shown(sorted(allowed))}",
                    shown(action_id),
                    "remove the edge, or add the action",
                )


def _first_actions(context: Context) -> list[str]:
    """Return the actions that every run begins with: the trigger leads to them unconditionally."""
    graph = graph_of(context)
    if graph is None:
        return []
    first = [end for start, end, kind in graph.edges if start == SOURCE and kind is None]
    return [action_id for action_id in first if _is_action(graph, action_id)]


@rule(
    "DR157",
    group=Group.DEFINITION,
    severity=Severity.ERROR,
    scope=Scope.EXECUTION,
    source="Execution Detail: the complete trace, every step that ran; definitions, `$source`",
    when=lambda execution, context: (
        execution.get("status") == "completed"
        and isinstance(execution.get("steps"), list)
        and bool(_first_actions(context))
    ),
    needs="a completed run, and its workflow's definition",
)
def completed_run_has_its_first_step(execution: JsonObject, context: Context) -> Iterator[Mismatch]:
    """A completed run has a step of each action that the trigger leads to.

    The trace is complete: what every run begins with is in it. Example: `agent-1`, as an edge leads
    from `$source` to it.
    """
    ran, graph = {step.step_id for step in steps_of(execution)}, graph_of(context)
    if graph is None or ran - graph.actions.keys():
        return  # Another rule reports steps with other ids.
    for action_id in _first_actions(context):
        if action_id not in ran:
            yield Mismatch(
                "/steps",
                f"a step of {shown(action_id)}, with which every run begins",
                f"{len(ran)} other steps" if ran else "no steps",
                "send every step that ran",
            )


RULES = (
    steps_are_actions_of_the_definition,
    steps_carry_kind_and_name_of_their_action,
    event_name_is_the_trigger_kind,
    inputs_are_resolved,
    one_branch_of_an_if_runs,
    operations_are_in_the_catalogue,
    edges_join_known_actions,
    completed_run_has_its_first_step,
)
