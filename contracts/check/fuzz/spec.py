"""Prepare the specification for Schemathesis: selected operations, with ids that exist."""

import copy
import random
from urllib.parse import quote

from deadringer.contracts.json_types import JsonObject
from deadringer.contracts.specification import METHODS, Operation, bundle_specification

from .model import GeneratedPhase, GeneratedPlan

ID_PARAMETERS = ("id", "runId")
EXAMPLES_SHOWN = 4


def specification_for(
    plan: GeneratedPlan, phase: GeneratedPhase, some: list[Operation]
) -> JsonObject:
    """Return a copy of the specification with these operations only, and with existing ids."""
    specification = copy.deepcopy(bundle_specification())
    wanted = {(one.path, one.method.lower()) for one in some}
    for path, item in specification["paths"].items():
        for method in METHODS:
            if (path, method) not in wanted:
                item.pop(method, None)
    if plan.known_ids:
        for parameter in specification["components"]["parameters"].values():
            if parameter.get("in") == "path" and parameter.get("name") in ID_PARAMETERS:
                _show_known_ids(parameter, plan, phase)
    return specification


def _show_known_ids(parameter: JsonObject, plan: GeneratedPlan, phase: GeneratedPhase) -> None:
    """Set existing ids as the examples of the path parameters.

    Coverage varies one parameter and fills the others with examples, so both must be ids of one
    run.
    """
    limit = 1 if phase is GeneratedPhase.COVERAGE else EXAMPLES_SHOWN
    chance = random.Random(plan.seed)  # noqa: S311 - reproducible, not a secret
    pairs = chance.sample(plan.known_ids, min(limit, len(plan.known_ids)))
    values = [as_parameters(pair)[parameter["name"]] for pair in pairs]
    parameter.pop("example", None)
    parameter["examples"] = {f"known{n}": {"value": value} for n, value in enumerate(values)}


def as_parameters(pair: tuple[str, str]) -> dict[str, str]:
    """Return a pair of ids as path parameters, percent-encoded."""
    # Schemathesis decodes percent-encoded values, so encode the ids once more.
    return {name: quote(value, safe="") for name, value in zip(ID_PARAMETERS, pair, strict=True)}
