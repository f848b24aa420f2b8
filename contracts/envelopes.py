"""Read response bodies of any documented form: their schemas and their rows."""

from .exchanges import Exchange
from .json_types import Json, JsonObject

_ENVELOPES = {
    "getExecution": "execution_envelope",
    "listExecutions": "execution_list_envelope",
    "listActions": "action_list_envelope",
    "listWorkflows": "workflow_list_envelope",
    "getWorkflow": "workflow_envelope",
    "testWorkflow": "test_run_envelope",
    "getCreditBalance": "credit_balance_envelope",
    "getExecutionVariables": "variables_envelope",
}
_ERRORS = {401: "error_unauthorized", 429: "error_rate_limited"}
LARGEST_TOTAL = 2**53
"""Doubles hold every whole number up to here."""
_RECOVERED_NAMES = (("completed_at", "ended_at"), ("duration", "duration_ms"))


def envelope_schema(exchange: Exchange) -> str | None:
    """Return the schema of an error body, or None if the contract does not specify one.

    Successful bodies have None: the caller validates them with more context.
    """
    if exchange.method == "HEAD" or exchange.succeeded:
        return None
    return _ERRORS.get(exchange.status)


def good_schema(operation_id: str) -> str:
    """Return the schema of an operation's 2xx body."""
    return _ENVELOPES[operation_id]


def members(value: Json) -> JsonObject:
    """Return an object's members; none for anything else."""
    return value if isinstance(value, dict) else {}


def elements(value: Json) -> list[Json]:
    """Return an array's elements; none for anything else."""
    return value if isinstance(value, list) else []


def rows_of(data: Json) -> list[JsonObject]:
    """Return the rows of a list page, under either known name."""
    page = members(data)
    rows = page.get("executions", page.get("items"))
    return [row for row in elements(rows) if isinstance(row, dict)]


def total_of(data: Json) -> int | None:
    """Return the number of rows of all pages, under either known name.

    None if there is none, or one beyond LARGEST_TOTAL: rule DR141 reports such a number.
    """
    page = members(data)
    total = members(page.get("pagination")).get("total_count", page.get("total"))
    if isinstance(total, bool) or not isinstance(total, int | float):
        return None
    return int(total) if -LARGEST_TOTAL <= total <= LARGEST_TOTAL else None


def in_documented_names(body: Json) -> Json:
    """Return a list body with documented names in place of the recovered ones.

    Two list shapes are known (API facts, section 2), and a server may use either. The schema is
    applied after this translation, so only what neither shape allows is a violation.
    """
    data = members(members(body).get("data"))
    if not data:
        return body
    page = dict(data)
    if "executions" not in page and "items" in page:
        page["executions"] = page.pop("items")
    if "pagination" not in page and "total" in page:
        page["pagination"] = _pagination(page)
    rows = page.get("executions")
    if isinstance(rows, list):
        page["executions"] = [_documented_row(row) for row in rows]
    return {**body, "data": page}


def _documented_row(row: Json) -> Json:
    if not isinstance(row, dict):
        return row
    renamed = dict(row)
    for documented, recovered in _RECOVERED_NAMES:
        if documented not in renamed and recovered in renamed:
            renamed[documented] = renamed.pop(recovered)
    return renamed


def _pagination(page: JsonObject) -> JsonObject:
    total, size = page.pop("total"), page.pop("page_size", 20)
    page.pop("has_more", None)
    pages = -(-total // size) if isinstance(total, int) and isinstance(size, int) and size else 0
    return {
        "page": page.pop("page", 1),
        "page_size": size,
        "total_count": total,
        "total_pages": pages,
    }
