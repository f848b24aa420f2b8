"""Add the routes of the control API, which its OpenAPI document describes."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import yaml
from flask import Flask, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from deadringer.contracts import (
    Json,
    JsonObject,
    JsonText,
    Operation,
    exact_json_bytes,
    read_json_text,
)
from deadringer.mockserver.api.middleware.coverage import Coverage
from deadringer.mockserver.api.middleware.journal import Journal
from deadringer.mockserver.api.validation import read_query
from deadringer.mockserver.context import HEALTH, context_of_request
from deadringer.mockserver.control_spec import (
    body_validator,
    control_operations,
    control_specification,
)
from deadringer.mockserver.errors import ApiError
from deadringer.mockserver.schema_errors import Problem, make_integers, problems_of
from deadringer.mockserver.world.service import Service

from . import (
    clock,
    contract_faults,
    coverage,
    executions,
    faults,
    health,
    journal,
    report,
    runs,
    scenarios,
    sessions,
)
from .access import ROOT, guard, preflight, share
from .context import ControlContext, SeenTraffic, refusal_of

PAGES = {"runs": f"{ROOT}ui/runs"}


def get_index(_control: ControlContext) -> JsonObject | AnyResponse:
    """Return the routes; redirect a browser that prefers HTML to the list of runs."""
    if request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
        return redirect(PAGES["runs"])
    listed = [
        {"method": one.method, "path": one.path, "summary": one.described["summary"]}
        for one in control_operations()
    ]
    return {
        "name": "deadringer",
        "specification": f"{ROOT}openapi.json",
        "pages": PAGES,
        "operations": listed,
    }


def get_specification(_control: ControlContext) -> JsonObject:
    """Return the document as JSON."""
    return control_specification()


def get_specification_as_yaml(_control: ControlContext) -> Response:
    """Return the document as YAML."""
    return Response(_as_yaml(), mimetype="application/yaml")


@cache
def _as_yaml() -> str:
    text: str = yaml.safe_dump(control_specification(), sort_keys=False, allow_unicode=True)
    return text


VIEWS: Mapping[str, Callable[..., Any]] = {
    "getIndex": get_index,
    "getControlSpecification": get_specification,
    "getControlSpecificationAsYaml": get_specification_as_yaml,
    "getLive": health.get_live,
    "getReady": health.get_ready,
    "getState": sessions.get_state,
    "resetSession": sessions.reset_session,
    "getClock": clock.get_clock,
    "setClock": clock.set_clock,
    "unsetClock": clock.unset_clock,
    "advanceClock": clock.advance_clock,
    "listFaults": faults.list_faults,
    "addFault": faults.add_fault,
    "removeFaults": faults.remove_faults,
    "removeFault": faults.remove_fault,
    "getChaos": faults.get_chaos,
    "setChaos": faults.set_chaos,
    "unsetChaos": faults.unset_chaos,
    "listContractFaults": contract_faults.list_contract_faults,
    "enableContractFault": contract_faults.enable_contract_fault,
    "disableContractFault": contract_faults.disable_contract_fault,
    "disableContractFaults": contract_faults.disable_contract_faults,
    "listScenarios": scenarios.list_scenarios,
    "getScenario": scenarios.get_scenario,
    "setScenario": scenarios.set_scenario,
    "unsetScenario": scenarios.unset_scenario,
    "startLiveRun": runs.start_live_run,
    "advanceRun": runs.advance_run,
    "putExecution": executions.put_execution,
    "patchExecution": executions.patch_execution,
    "deleteExecution": executions.delete_execution,
    "getJournal": journal.get_journal,
    "clearJournal": journal.clear_journal,
    "getJournalEntry": journal.get_journal_entry,
    "verifyCounts": journal.verify_counts,
    "getReport": report.get_report,
    "getCoverage": coverage.get_coverage,
}
"""The view of each operation of the document."""

OF_A_MOCK = frozenset(
    {"getClock", "setClock", "unsetClock", "advanceClock"}
    | {"listScenarios", "getScenario", "setScenario", "unsetScenario"}
    | {"startLiveRun", "advanceRun", "putExecution", "patchExecution", "deleteExecution"}
)
"""The operations that a proxy refuses: the server behind it decides about time and runs."""
OF_A_PROXY = frozenset({"getReport"})
"""The operations that a mock refuses."""

VALIDATORS: Mapping[str, Callable[[ControlContext, Json, list[Problem]], Iterable[Problem]]] = {
    "addFault": faults.problems_of_added,
    "verifyCounts": journal.problems_of_wanted,
}
"""Validation beyond the schema: functions of the context, the body and the schema's problems."""


def add_control(
    app: Flask,
    service: Service,
    request_journal: Journal,
    request_coverage: Coverage,
    traffic: SeenTraffic | None = None,
) -> None:
    """Add every route, and the access check before them; `traffic` is that of a proxy."""
    blank = ControlContext(service, request_journal, request_coverage, traffic)
    for operation in control_operations():
        _add(app, operation, blank)
    app.before_request(preflight)
    app.before_request(lambda: guard(service))
    app.after_request(lambda response: share(response, service.settings))


def add_health(app: Flask, service: Service) -> None:
    """Add the routes of the health alone, for a server without the control API."""
    for operation in control_operations():
        if operation.path.startswith(HEALTH):
            _add(app, operation, ControlContext(service, Journal(), Coverage()))


def _add(app: Flask, operation: Operation, blank: ControlContext) -> None:
    app.add_url_rule(
        operation.path.replace("{", "<").replace("}", ">"),
        f"control {operation.operation_id}",
        _view_function(operation, blank),
        methods=[operation.method, "OPTIONS"],
        provide_automatic_options=False,
    )


def _view_function(operation: Operation, blank: ControlContext) -> Callable[..., AnyResponse]:
    view = VIEWS[operation.operation_id]

    def handle(**path: str) -> AnyResponse:
        _require_offered(operation, blank)
        context_of_request().require_session_name()
        control = replace(blank, query=read_query(operation, request.args))
        control = replace(control, body=_body(operation, control))
        body, status = view(control, **path), 200
        if isinstance(body, AnyResponse):
            return body
        if isinstance(body, tuple):
            body, status = body
        return Response(
            exact_json_bytes(body, compact=False) + b"\n",
            status=status,
            mimetype="application/json",
        )

    return handle


def _require_offered(operation: Operation, control: ControlContext) -> None:
    """Raise NOT_FOUND for an operation that only the other kind of server offers."""
    if control.traffic is not None and operation.operation_id in OF_A_MOCK:
        raise ApiError(
            "NOT_FOUND",
            "A proxy has no clock, scenarios and runs of its own: the server behind it has",
            "Use it with `deadringer serve`; faults, the journal and the report are here too",
        )
    if control.traffic is None and operation.operation_id in OF_A_PROXY:
        raise ApiError(
            "NOT_FOUND",
            "A mock writes no report: it has no server to report on",
            "Use it with `deadringer proxy`, or run `deadringer check`",
        )


def _body(operation: Operation, control: ControlContext) -> JsonObject:
    """Return the JSON object the request sent; an absent one is `{}`.

    Raises:
        ApiError: BAD_REQUEST if it is not JSON, VALIDATION_ERROR with one line per violation.
    """
    validator = body_validator(operation)
    if validator is None:
        return {}
    raw = request.get_data()
    try:
        read = read_json_text(raw, exact=True) if raw.strip() else JsonText({})
        body = read.value
        make_integers(body, validator)
        problems = problems_of(body, validator)
    except (ValueError, RecursionError) as problem:
        raise ApiError("BAD_REQUEST", f"The body is not JSON: {problem}") from problem
    validate = VALIDATORS.get(operation.operation_id)
    if validate is not None:
        problems += validate(control, body, problems)
    lines = [one.line for one in problems]
    lines += [f"{one}: is more than once in one object. Write it once" for one in read.repeated]
    if lines:
        raise refusal_of(lines, "Compare the body with /__mock/openapi.json")
    found: JsonObject = body
    return found
