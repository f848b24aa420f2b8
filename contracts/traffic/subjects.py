"""What the rules are tested on in one exchange that is taken alone."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import NamedTuple

from deadringer.contracts.envelopes import good_schema, in_documented_names, members
from deadringer.contracts.exchanges import MISSING, Exchange
from deadringer.contracts.json_types import Json, JsonObject
from deadringer.contracts.rules import Context, Scope
from deadringer.contracts.specification import operations
from deadringer.contracts.timestamps import format_timestamp

PARTIAL = 206
Part = tuple[Scope, tuple[Json, ...], str]
"""A scope, the arguments of its rules before the Context, and their pointer in the document."""

_PAGES = {
    "listExecutions": Scope.LIST_PAGE,
    "listActions": Scope.CATALOGUE,
    "listWorkflows": Scope.WORKFLOW_PAGE,
}


class Subject(NamedTuple):
    """A document with the rules that are tested on it; `schema` is that of the whole document."""

    document: Json
    parts: tuple[Part, ...]
    context: Context
    schema: str | None = None


def body_of(exchange: Exchange) -> Json:
    """Return the parsed body, or None if it is not JSON."""
    return None if exchange.body is MISSING else exchange.body


def time_of(exchange: Exchange) -> str:
    """Return the time of a response by the server's clock, else by ours (ISO 8601, UTC)."""
    try:
        moment = parsedate_to_datetime(exchange.response_headers.get("date", ""))
    except (ValueError, TypeError, IndexError, OverflowError):
        moment = datetime.now(UTC)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return format_timestamp(moment)


def is_partial(exchange: Exchange) -> bool:
    """Return whether the client asked for a part of the response and got it."""
    return exchange.status == PARTIAL and "range" in exchange.request_headers


def response_subjects(
    exchange: Exchange, context: Context, *, has_clock: bool = False
) -> Iterator[Subject]:
    """Yield the exchange, the text of its body, and the document in it if it succeeded.

    `has_clock` is whether the documents follow the clock of the response, so that a run can be
    found to be running for too long.
    """
    if is_partial(exchange):
        return
    body = body_of(exchange)
    yield Subject(body, ((Scope.EXCHANGE, (exchange,), ""),), context)
    if exchange.failure is not None or exchange.body is MISSING:
        return
    yield Subject(body, ((Scope.TEXT, (body, exchange.repeated_members), ""),), context)
    if exchange.succeeded and exchange.operation_id:
        read_at = time_of(exchange) if has_clock else ""
        operation_id, query = exchange.operation_id, exchange.query
        yield from document_subjects(operation_id, body, context, query=query, read_at=read_at)


def document_subjects(
    operation_id: str,
    body: Json,
    context: Context,
    *,
    query: Mapping[str, str] = MappingProxyType({}),
    read_at: str = "",
) -> Iterator[Subject]:
    """Yield the body of a successful response with its schema, and the documents in it.

    `read_at` is the time of the response by the clock of the documents (ISO 8601), "" if unknown.
    """
    schema, data = good_schema(operation_id), members(body).get("data")
    if operation_id == "getExecution" and isinstance(data, dict):
        parts: tuple[Part, ...] = ((Scope.EXECUTION, (data,), "/data"),)
        aged: tuple[Part, ...] = ((Scope.AGED, (data, read_at), "/data"),) if read_at else ()
        yield Subject(body, parts + aged, context, schema)
        return
    if operation_id == "getWorkflow" and isinstance(data, dict):
        yield Subject(body, ((Scope.WORKFLOW, (data,), "/data"),), context, schema)
        return
    shown = in_documented_names(body) if operation_id == "listExecutions" else body
    yield Subject(shown, (), context, schema)
    scope = _PAGES.get(operation_id)
    if scope and isinstance(data, dict) and _is_documented(operation_id, query):
        yield Subject(body, ((scope, (data, dict(query)), "/data"),), context)


def _is_documented(operation_id: str, query: Mapping[str, str]) -> bool:
    """Return whether every parameter of a query is in its documented range.

    What a server makes of another one is not documented.
    """
    operation = next(one for one in operations() if one.operation_id == operation_id)
    parameters = operation.described["parameters"]
    described = {one["name"]: one["schema"] for one in parameters if one.get("in") == "query"}
    return all(_is_in_range(text, described.get(name, {})) for name, text in query.items())


def _is_in_range(text: str, schema: JsonObject) -> bool:
    if schema.get("type") == "integer":
        is_number = text.isascii() and text.isdecimal() and len(text) < 16
        low, high = schema.get("minimum", 0), schema.get("maximum", 10**16)
        return is_number and low <= int(text) <= high
    return text in schema.get("enum", [text])
