"""Asserts that an answer, or a document, keeps the contract."""

from typing import Any

from contracts.exchanges import Exchange
from contracts.json_types import JsonObject
from contracts.offline import UnreadableError, judge_answer, judge_document
from contracts.rules import Context
from contracts.specification import operations
from contracts.violations import Grade, Violation

from .responses import as_exchange, is_response
from .telling import told


def assert_keeps_contract(
    response_or_document: Any,
    *,
    definition: JsonObject | None = None,
    operation_id: str | None = None,
    fail_on: str = "error",
) -> None:
    """Assert that a response, or parsed JSON, keeps the schema and every rule of the contract.

    A response of requests, httpx, or the test clients of Flask, Werkzeug and Starlette is judged
    with its request: status, headers and body. Parsed JSON is an execution, an answer with it
    under `data`, a page of a list, an error body, or an array of these; `operation_id` says
    whose good answer it is where it is another's. By a `definition`, the value of `workflow` in
    Get Workflow, the rules about definitions are judged too. `fail_on="warning"` also fails on
    breaches of what is only inferred.

    Raises:
        AssertionError: with every breach: rule, place, expected, got, fix and source.
        TypeError: if it is neither a response nor parsed JSON.
        ValueError: if an argument has no such value.
    """
    __tracebackhide__ = True
    grades = _failing(fail_on)
    context = Context(definition=_definition(definition))
    try:
        head, violations = _judged(response_or_document, context, operation_id)
    except UnreadableError as problem:
        raise AssertionError(str(problem)) from None
    if any(violation.grade in grades for violation in violations):
        raise AssertionError(told(head, violations))


def _judged(
    subject: Any, context: Context, operation_id: str | None
) -> tuple[str, list[Violation]]:
    if operation_id is not None:
        _check_operation(operation_id)
    if is_response(subject):
        exchange = as_exchange(subject, operation_id)
        return _line(exchange), judge_answer(exchange, context=context)
    if not isinstance(subject, dict | list):
        raise TypeError(
            f"{type(subject).__name__} is neither a response nor parsed JSON. Give a response of "
            "requests, httpx, Flask or Starlette, or a dict or list such as response.json()."
        )
    return "", judge_document(subject, context=context, operation_id=operation_id)


def _line(exchange: Exchange) -> str:
    return f"{exchange.method} {exchange.path} -> {exchange.status}".strip()


def _failing(fail_on: str) -> frozenset[Grade]:
    """Give the grades that fail."""
    names = [grade.value for grade in Grade]
    if fail_on not in names:
        raise ValueError(f"fail_on={fail_on!r} is not one of {', '.join(names)}.")
    return frozenset(Grade) if fail_on == Grade.WARNING else frozenset({Grade.ERROR})


def _definition(given: JsonObject | None) -> JsonObject | None:
    """Give the definition, also out of a whole Workflow object, which people have at hand."""
    if given is not None and "actions" not in given and isinstance(given.get("workflow"), dict):
        definition: JsonObject = given["workflow"]
        return definition
    return given


def _check_operation(operation_id: str) -> None:
    known = [operation.operation_id for operation in operations()]
    if operation_id not in known:
        raise ValueError(f"operation_id={operation_id!r} is not one of {', '.join(known)}.")
