"""Read a list of runs in either known shape, or in a mixture of both.

The documented shape has `executions[]` with `completed_at` and `duration`, and `pagination`; the
recovered one `items[]` with `ended_at` and `duration_ms`, and the paging members beside it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from deadringer.contracts.json_types import Json, JsonObject

from .json_values import members, whole

END = ("completed_at", "ended_at")
DURATION = ("duration", "duration_ms")


def array_of(data: Json) -> tuple[str, list[Json]] | None:
    """Return the name and the elements of the array of rows, None if there is none."""
    for name in ("executions", "items"):
        found = members(data).get(name)
        if isinstance(found, list):
            return name, found
    return None


def rows_of(data: Json) -> Iterator[tuple[str, int, JsonObject]]:
    """Yield (name of the array, index, row) for every row that is an object."""
    name, rows = array_of(data) or ("", [])
    for index, row in enumerate(rows):
        if isinstance(row, dict):
            yield name, index, row


def named_value(row: JsonObject, names: tuple[str, str]) -> tuple[str, Json] | None:
    """Return (name used by the row, value), preferring a value to null; None if both are absent."""
    present = [name for name in names if name in row]
    filled = [name for name in present if row[name] is not None]
    for name in (*filled, *present):
        return name, row[name]
    return None


@dataclass(frozen=True, slots=True)
class Paging:
    """The paging members of a page; each is (pointer, number), or None if absent."""

    page: tuple[str, int] | None
    size: tuple[str, int] | None
    total: tuple[str, int] | None
    pages: tuple[str, int] | None


def paging_of(data: Json) -> Paging:
    """Read the paging members of a page under either name."""
    pagination = members(data).get("pagination")

    def reported(documented: str, recovered: str) -> tuple[str, int] | None:
        for holder, prefix, name in (
            (pagination, "/pagination/", documented),
            (data, "/", recovered),
        ):
            found = whole(members(holder).get(name))
            if found is not None:
                return prefix + name, found
        return None

    return Paging(
        page=reported("page", "page"),
        size=reported("page_size", "page_size"),
        total=reported("total_count", "total"),
        pages=reported("total_pages", "total_pages"),
    )
