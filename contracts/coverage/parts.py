"""The parts of an exchange that situations are found in."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from deadringer.contracts.envelopes import elements, members, rows_of, total_of
from deadringer.contracts.exchanges import Exchange
from deadringer.contracts.json_text import json_bytes
from deadringer.contracts.json_types import JsonObject

from .model import ExchangePart


class RunsPage(NamedTuple):
    """A page of List Workflow Executions: its number from 1, and the number of runs of all."""

    rows: list[JsonObject]
    number: int
    total: int


def parts_of(exchange: Exchange) -> Mapping[ExchangePart, Sequence[Any]]:
    """Return the parts by name; a complete successful response has more than the exchange."""
    parts: dict[ExchangePart, Sequence[Any]] = {ExchangePart.EXCHANGE: (exchange,)}
    data = data_of(exchange)
    if exchange.operation_id == "getExecution" and data:
        parts[ExchangePart.RUN] = (data,)
        parts[ExchangePart.TEXT] = (_text_of(exchange),)
        parts[ExchangePart.STEP] = steps_of(data)
    elif exchange.operation_id == "listExecutions":
        parts[ExchangePart.ROW] = rows = rows_of(data)
        total = total_of(data)
        if total is not None:
            parts[ExchangePart.PAGE] = (RunsPage(rows, _page_number(exchange, data), total),)
    elif exchange.operation_id == "listWorkflows" and "items" in data:
        parts[ExchangePart.WORKFLOWS] = (data,)
    return parts


def data_of(exchange: Exchange) -> JsonObject:
    """Return `data` of a complete successful response; empty for any other."""
    if exchange.failure is not None or not exchange.succeeded:
        return {}
    return members(members(exchange.body).get("data"))


def steps_of(run: JsonObject) -> list[JsonObject]:
    """Return the steps of a run that are objects."""
    return [step for step in elements(run.get("steps")) if isinstance(step, dict)]


def _text_of(exchange: Exchange) -> str:
    """Return the body as text, without escapes of characters."""
    raw = exchange.response_body
    return (json_bytes(exchange.body) if b"\\u" in raw else raw).decode("utf-8", "replace")


def _page_number(exchange: Exchange, data: JsonObject) -> int:
    """Return the number of a page by its response, else by its request, else 1."""
    number = members(data.get("pagination")).get("page", data.get("page"))
    if isinstance(number, int):
        return number
    sent = exchange.query.get("page", "1")
    return int(sent) if sent.isascii() and sent.isdecimal() and len(sent) < 10 else 1
