"""The contract as one assertion for any test suite: `assert_keeps_contract(response)`."""

from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from .documents import UnreadableError, validate_document, validate_response
from .exchanges import Exchange
from .json_text import JsonError, parse_json
from .json_types import Json, JsonObject
from .rules import Context, rule_named
from .specification import operation_at, operations
from .violations import Severity, Violation

__all__ = ["assert_keeps_contract"]

_MOST_SHOWN = 10


def describe(head: str, violations: list[Violation]) -> str:
    """Return all violations as text: rule, place, expected, got, fix and source."""
    ordered = sorted(violations, key=lambda one: one.severity)  # "error" sorts before "warning"
    count = "1 violation" if len(ordered) == 1 else f"{len(ordered)} violations"
    lines = [f"{count} of the contract" + (f" in {head}" if head else "")]
    lines += [_one(violation) for violation in ordered[:_MOST_SHOWN]]
    if len(ordered) > _MOST_SHOWN:
        lines.append(f"and {len(ordered) - _MOST_SHOWN} more")
    return "\n\n".join(lines)


def _one(violation: Violation) -> str:
    rule = rule_named(violation.rule)
    rows = (
        ("at", violation.pointer or "/"),
        ("expected", violation.expected),
        ("got", violation.got),
        ("fix", violation.fix),
        ("source", violation.source),
    )
    return "\n".join(
        [
            f"{violation.severity} {rule.id} {rule.name}",
            *(f"  {name:9} {text}" for name, text in rows if text),
        ]
    )


def is_response(subject: Any) -> bool:
    """Return whether it looks like a response: numeric status, headers and a body."""
    has_body = hasattr(subject, "content") or hasattr(subject, "get_data")
    return isinstance(getattr(subject, "status_code", None), int) and has_body


def as_exchange(response: Any, operation_id: str | None = None) -> Exchange:
    """Return a response with its request; `operation_id` takes precedence over the path.

    A response without a reference to its request is validated alone.
    """
    request = getattr(response, "request", None)
    method = str(getattr(request, "method", "") or "").upper()
    url = urlsplit(_target(request))
    found = operation_at(method, url.path)
    operation, path, parameters = found or (None, url.path, {})
    return Exchange(
        method=method,
        path=path,
        status=response.status_code,
        operation_id=operation_id or (operation.operation_id if operation else None),
        path_parameters=parameters,
        query=dict(parse_qsl(url.query, keep_blank_values=True)),
        request_headers=_headers(request),
        request_body=_parsed(_sent(request)),
        response_headers=_headers(response),
        response_body=_bytes(_received(response)),
    )


def _target(request: Any) -> str:
    """Return the URL of a request, or its path and query, percent-encoded as it was sent."""
    query = getattr(request, "query_string", None)
    if isinstance(query, bytes):  # Werkzeug decodes `path`
        path = quote(str(request.root_path).rstrip("/") + str(request.path))
        return f"{path}?{query.decode('latin-1')}"
    return str(getattr(request, "url", "") or "")


def _headers(part: Any) -> dict[str, str]:
    headers: Any = getattr(part, "headers", None) or {}
    return {_text(name).lower(): _text(value) for name, value in headers.items()}


def _received(response: Any) -> Any:
    return response.get_data() if hasattr(response, "get_data") else response.content


def _sent(request: Any) -> Any:
    """Return the body of a request; the content of a stream is no longer available."""
    if hasattr(request, "body"):  # requests
        return request.body
    if hasattr(request, "get_data"):  # Werkzeug
        return _at_hand(request.get_data)
    return _at_hand(lambda: getattr(request, "content", None))


def _at_hand(read: Any) -> Any:
    try:
        return read()
    except (OSError, RuntimeError, ValueError):  # closed, or a consumed stream
        return None


def _parsed(body: Any) -> Json:
    if not isinstance(body, str | bytes | bytearray):
        return None
    try:
        return parse_json(body if isinstance(body, str) else bytes(body)).value
    except JsonError:
        return None


def _bytes(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else bytes(body)


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def assert_keeps_contract(
    response_or_document: Any,
    *,
    definition: JsonObject | None = None,
    operation_id: str | None = None,
    fail_on: str = "error",
) -> None:
    """Assert that a response, or parsed JSON, matches the schema and every rule of the contract.

    A response of requests, httpx, or the test clients of Flask, Werkzeug and Starlette is validated
    with its request: status, headers and body. Parsed JSON is an execution, a response with it
    under `data`, a page of a list, an error body, or an array of these; `operation_id` names the
    operation if it is another successful response. With a `definition`, the value of `workflow` in
    Get Workflow, the rules about definitions apply too. `fail_on="warning"` also fails on
    violations of inferred rules.

    Raises:
        AssertionError: if there are violations, with rule, place, expected, got, fix and
            source.
        TypeError: if it is neither a response nor parsed JSON.
        ValueError: if an argument has an unknown value.
    """
    __tracebackhide__ = True
    severities = _failing(fail_on)
    context = Context(definition=_definition(definition))
    try:
        head, violations = _validated(response_or_document, context, operation_id)
    except UnreadableError as problem:
        raise AssertionError(str(problem)) from None
    if any(violation.severity in severities for violation in violations):
        raise AssertionError(describe(head, violations))


def _validated(
    subject: Any, context: Context, operation_id: str | None
) -> tuple[str, list[Violation]]:
    if operation_id is not None:
        _check_operation(operation_id)
    if is_response(subject):
        exchange = as_exchange(subject, operation_id)
        return _line(exchange), validate_response(exchange, context=context)
    if not isinstance(subject, dict | list):
        raise TypeError(
            f"{type(subject).__name__} is neither a response nor parsed JSON. Pass a response of "
            "requests, httpx, Flask or Starlette, or a dict or list such as response.json()."
        )
    return "", validate_document(subject, context=context, operation_id=operation_id)


def _line(exchange: Exchange) -> str:
    return f"{exchange.method} {exchange.path} -> {exchange.status}".strip()


def _failing(fail_on: str) -> frozenset[Severity]:
    """Return the severities that fail the assertion."""
    names = [severity.value for severity in Severity]
    if fail_on not in names:
        raise ValueError(f"fail_on={fail_on!r} is not one of {', '.join(names)}.")
    return frozenset(Severity) if fail_on == Severity.WARNING else frozenset({Severity.ERROR})


def _definition(value: JsonObject | None) -> JsonObject | None:
    """Return the definition, also if a complete Workflow object was passed."""
    if value is not None and "actions" not in value and isinstance(value.get("workflow"), dict):
        definition: JsonObject = value["workflow"]
        return definition
    return value


def _check_operation(operation_id: str) -> None:
    known = [operation.operation_id for operation in operations()]
    if operation_id not in known:
        raise ValueError(f"operation_id={operation_id!r} is not one of {', '.join(known)}.")
