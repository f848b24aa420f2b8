"""Operations with their documented statuses and error codes, derived from the specification."""

from collections.abc import Iterator
from functools import cache

from deadringer.contracts.envelopes import members
from deadringer.contracts.exchanges import MISSING, Exchange
from deadringer.contracts.json_types import JsonObject
from deadringer.contracts.specification import Operation, documented_codes, operations

from .model import CoverageItem, DocumentedRequest, Section

_IDS = {"id": "wf_abc123", "runId": "run_x7k9m2"}


@cache
def response_items() -> tuple[CoverageItem, ...]:
    """Return the items of every operation, its statuses and its codes, section by section."""
    found = [item for operation in operations() for item in _items(operation)]
    return tuple(sorted(found, key=lambda item: list(Section).index(item.section)))


def _items(operation: Operation) -> Iterator[CoverageItem]:
    name = operation.operation_id
    summary = operation.described["summary"]
    plain = _request(operation)
    yield CoverageItem(f"{Section.OPERATIONS}/{name}", Section.OPERATIONS, summary, (plain,))
    for status, codes in documented_codes(name).items():
        steps = (plain if status == 200 else _request(operation, f"code={status}"),)
        item = f"{Section.STATUSES}/{name}/{status}"
        yield CoverageItem(item, Section.STATUSES, f"{summary}: {status}", steps)
        for code in codes:
            steps = (_request(operation, f"error={code}"),)
            item = f"{Section.CODES}/{name}/{code}"
            yield CoverageItem(item, Section.CODES, f"{summary}: {code}", steps)


def _request(operation: Operation, prefer: str = "") -> DocumentedRequest:
    headers = {"Prefer": prefer} if prefer else {}
    body: JsonObject | None = {} if operation.method == "POST" else None
    return DocumentedRequest(operation.path.format(**_IDS), operation.method, headers, body)


def met_responses(exchange: Exchange) -> Iterator[str]:
    """Yield the ids of the items that a response to an operation meets; they may be undocumented.

    A connection that broke off meets the operation only.
    """
    name = exchange.operation_id
    yield f"{Section.OPERATIONS}/{name}"
    if exchange.failure is not None:
        return
    yield f"{Section.STATUSES}/{name}/{exchange.status}"
    if exchange.status >= 400 and exchange.body is not MISSING:
        code = members(members(exchange.body).get("error")).get("code")
        if isinstance(code, str) and code in documented_codes(str(name)).get(exchange.status, ()):
            yield f"{Section.CODES}/{name}/{code}"
