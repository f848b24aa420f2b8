"""What the tests of the generator judge by: the contract, with definition and catalogue known."""

from deadringer.contracts import JsonObject, Violation
from deadringer.contracts.rules import Context
from deadringer.contracts.rules import judge_execution as judge
from deadringer.fixtures import load_catalogue

CATALOGUE = frozenset(action["kind"] for action in load_catalogue())


def context_of(workflow: JsonObject) -> Context:
    """Give all there is to know about runs of a workflow."""
    return Context(definition=workflow["workflow"], catalogue=CATALOGUE)


def judged(execution: JsonObject, workflow: JsonObject | None = None) -> list[Violation]:
    """Give every violation, warnings included."""
    context = Context(catalogue=CATALOGUE) if workflow is None else context_of(workflow)
    return judge(execution, context)
