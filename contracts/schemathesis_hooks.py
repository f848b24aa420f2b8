"""The contract for your own Schemathesis runs: its rules as checks, and existing ids.

    export SCHEMATHESIS_HOOKS=deadringer.contracts.schemathesis_hooks
    schemathesis run openapi.yaml --url URL -H 'x-api-key: KEY'

In a pytest suite, `import deadringer.contracts.schemathesis_hooks` before `schema.parametrize()`
does the same. Importing this module registers three checks and, if DEADRINGER_WORKFLOW (and
DEADRINGER_RUN) name an existing run, uses its ids in half of the generated requests. Only
violations of severity `error` fail a check; with DEADRINGER_FAIL_ON=warning, every violation does.
See docs/guides/schemathesis.md.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import hypothesis.strategies as st
import schemathesis
from schemathesis.checks import CheckContext
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.failures import Severity as FailureSeverity
from schemathesis.core.transport import Response
from schemathesis.generation.case import Case
from schemathesis.hooks import HookContext

from .envelopes import envelope_schema, good_schema, in_documented_names, members
from .exchanges import MISSING, Exchange, Intent
from .json_types import Json, JsonObject
from .rules import Scope, apply_rules, unexplained, validate_execution
from .specification import Operation, operations
from .validation import validate
from .violations import Severity, Violation

AnyCase = Case[Any]
ID_VARIABLES = {"id": "DEADRINGER_WORKFLOW", "runId": "DEADRINGER_RUN"}
_PAGES = {
    "listExecutions": Scope.LIST_PAGE,
    "listWorkflows": Scope.WORKFLOW_PAGE,
    "listActions": Scope.CATALOGUE,
}


_SEVERITIES = {Severity.ERROR: FailureSeverity.HIGH, Severity.WARNING: FailureSeverity.LOW}


class ContractViolation(Failure):
    """One violation of the contract, reported by Schemathesis as one failure."""

    code = "ST901"
    kind_title = "Contract violation"
    __slots__ = ("rule",)

    def __init__(self, operation: str, violation: Violation) -> None:
        super().__init__(
            operation=operation,
            title=f"Contract violation: {violation.rule}",
            message=_message(violation),
            severity=_SEVERITIES[violation.severity],
        )
        self.rule = violation.rule

    @property
    def _unique_key(self) -> str:
        return self.rule


@schemathesis.check
def execution_keeps_the_contract(ctx: CheckContext, response: Response, case: AnyCase) -> None:
    """Validate every execution with its schema and all rules about executions."""
    exchange = exchange_of(response, case)
    if exchange.operation_id != "getExecution" or not exchange.succeeded:
        return
    data = _data(exchange)
    found = validate_execution(data, None) if isinstance(data, dict) else []
    _report(case, exchange, [one.moved_below("/data") for one in found])


@schemathesis.check
def list_keeps_the_contract(ctx: CheckContext, response: Response, case: AnyCase) -> None:
    """Validate pages of executions and workflows, and the catalogue, with their rules."""
    exchange = exchange_of(response, case)
    scope = _PAGES.get(exchange.operation_id or "")
    if scope is None or not exchange.succeeded or not isinstance(_data(exchange), dict):
        return
    found = apply_rules(scope, _data(exchange), exchange.query)
    _report(case, exchange, [one.moved_below("/data") for one in found])


@schemathesis.check
def answer_keeps_the_contract(ctx: CheckContext, response: Response, case: AnyCase) -> None:
    """Validate every response with the rules about HTTP, and its body with its schema."""
    exchange = exchange_of(response, case)
    if exchange.operation_id is None:
        return
    found = apply_rules(Scope.EXCHANGE, exchange)
    if exchange.body is not MISSING:
        found += apply_rules(Scope.TEXT, exchange.body, exchange.repeated_members)
    _report(case, exchange, [*unexplained(_shape(exchange), found), *found])


def exchange_of(response: Response, case: AnyCase) -> Exchange:
    """Return a case and its response as an exchange; other operations have no operation id."""
    operation = _operation(case)
    names = operation.path_parameters if operation else ()
    url = urlsplit(str(response.request.url))
    return Exchange(
        method=case.method,
        path=str(case.formatted_path),
        status=response.status_code,
        operation_id=operation.operation_id if operation else None,
        path_parameters={name: unquote(str(case.path_parameters[name])) for name in names},
        query=dict(parse_qsl(url.query, keep_blank_values=True)),
        request_headers=_request_headers(response),
        request_body=case.body if isinstance(case.body, dict | list) else None,
        response_headers={name: ", ".join(values) for name, values in response.headers.items()},
        response_body=response.content or b"",
        elapsed_s=response.elapsed,
        intent=Intent.FUZZ,
    )


def known_ids() -> dict[str, str]:
    """Return the ids named by the environment, percent-encoded, by path parameter."""
    named = {name: os.environ.get(variable, "") for name, variable in ID_VARIABLES.items()}
    # Schemathesis decodes percent-encoded values, so encode the ids once more.
    return {name: quote(value, safe="") for name, value in named.items() if value}


if known_ids():

    @schemathesis.hook
    def flatmap_path_parameters(
        context: HookContext, path_parameters: JsonObject | None
    ) -> st.SearchStrategy[JsonObject | None]:
        """Use the named run in half of the generated requests."""
        path = context.operation.path if context.operation else ""
        if path_parameters is None or path not in {one.path for one in operations()}:
            return st.just(path_parameters)
        ids = {name: value for name, value in known_ids().items() if name in path_parameters}
        return st.sampled_from((path_parameters, {**path_parameters, **ids}))

    @schemathesis.hook
    def before_load_schema(context: HookContext, raw_schema: JsonObject) -> None:
        """Set the named run as the example of the path parameters."""
        for parameter in raw_schema.get("components", {}).get("parameters", {}).values():
            value = known_ids().get(parameter.get("name", ""))
            if parameter.get("in") == "path" and value and parameter.get("example"):
                parameter["example"] = value


def _operation(case: AnyCase) -> Operation | None:
    path, method = case.operation.path, case.method
    matching = (one for one in operations() if one.path == path and one.method == method)
    return next(matching, None)


def _data(exchange: Exchange) -> Json:
    return members(_body(exchange)).get("data")


def _body(exchange: Exchange) -> Json:
    return None if exchange.body is MISSING else exchange.body


def _shape(exchange: Exchange) -> Iterator[Violation]:
    """Validate the body with the schema of its status; executions have their own check."""
    schema = envelope_schema(exchange)
    if exchange.succeeded and exchange.operation_id:
        schema = good_schema(exchange.operation_id)
    if schema is None or exchange.body is MISSING:
        return
    body = exchange.body
    if exchange.operation_id == "listExecutions" and exchange.succeeded:
        body = in_documented_names(body)
    found = validate(body, schema)
    if schema == "execution_envelope" and isinstance(_data(exchange), dict):
        yield from (one for one in found if not one.pointer.startswith("/data/"))
        return
    yield from found


def _report(case: AnyCase, exchange: Exchange, violations: list[Violation]) -> None:
    fails_on_warning = os.environ.get("DEADRINGER_FAIL_ON") == Severity.WARNING
    failures = [
        ContractViolation(case.operation.label, one)
        for one in violations
        if one.severity is Severity.ERROR or fails_on_warning
    ]
    if failures:
        raise FailureGroup(failures)


def _message(violation: Violation) -> str:
    return "\n".join(
        (
            f"At {violation.pointer or 'the response'}: {violation.message}.",
            f"Fix: {violation.fix}.",
            f"Source: {violation.source}",
        )
    )


def _request_headers(response: Response) -> dict[str, str]:
    sent = response.request.headers.items()
    headers = {str(name).lower(): _text(value) for name, value in sent}
    if "x-api-key" in headers:
        # Schemathesis sends a made-up bearer token besides the configured key; it is not a secret.
        headers.pop("authorization", None)
    return headers


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


Check = Callable[[CheckContext, Response, AnyCase], None]
CHECKS: tuple[Check, ...] = (
    execution_keeps_the_contract,
    list_keeps_the_contract,
    answer_keeps_the_contract,
)
"""The registered checks, for `--checks` and for `case.validate_response(response, checks=…)`."""
