"""Rules about the list of workflows and the catalogue of actions."""

from collections import Counter
from collections.abc import Callable, Iterator

from deadringer.contracts.json_types import Json
from deadringer.contracts.violations import Severity, pointer_to

from .json_values import elements, members, shown, text, whole
from .model import Context, Group, Mismatch, Scope, When, rule

DEFAULT_LIMIT = 20
LARGEST_LIMIT = 100
_STATUSES = frozenset({"DRAFT", "PUBLISHED"})
_SAME_CATEGORY = {
    "control-flow": "control_flow",
    "integrations": "integration",
    "utilities": "utility",
}
_WORKFLOWS = "List Workflows"
_ACTIONS = "List Workflow Actions"


def sent_whole(query: Json, name: str, default: int) -> int | None:
    """Return a whole-numbered parameter as sent, its default if not sent, None if unreadable."""
    value = members(query).get(name, default)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    return whole(value)


def repeated(values: list[Json]) -> Iterator[tuple[int, str]]:
    """Yield (index, text) of every text that already occurs earlier in the array."""
    seen: Counter[str] = Counter()
    for index, value in enumerate(values):
        if isinstance(value, str):
            seen[value] += 1
            if seen[value] > 1:
                yield index, value


def _with_items(*needed: Callable[[Json, Json], bool]) -> When:
    def when(data: Json, query: Json, _context: Context) -> bool:
        has_items = isinstance(members(data).get("items"), list)
        return has_items and all(one(data, query) for one in needed)

    return when


def _has_window(_data: Json, query: Json) -> bool:
    return _window(query) is not None


def _has_total(data: Json, _query: Json) -> bool:
    return whole(data.get("total")) is not None


def _filters_by_status(_data: Json, query: Json) -> bool:
    return text(members(query).get("status")) in _STATUSES


def _filters_by_category(_data: Json, query: Json) -> bool:
    return bool(text(members(query).get("category")))


def _window(query: Json) -> tuple[int, int] | None:
    """Return (limit, offset) as requested, or None if one is out of its documented range."""
    limit, offset = sent_whole(query, "limit", DEFAULT_LIMIT), sent_whole(query, "offset", 0)
    if limit is None or offset is None or not 1 <= limit <= LARGEST_LIMIT or offset < 0:
        return None
    return limit, offset


@rule(
    "DR121a",
    group=Group.LISTING,
    severity=Severity.ERROR,
    scope=Scope.WORKFLOW_PAGE,
    source=f"{_WORKFLOWS}, `limit`: 1-100, default 20",
    when=_with_items(_has_window),
    needs="a list of workflows",
)
def workflow_pages_keep_the_limit(data: Json, query: Json, _context: Context) -> Iterator[Mismatch]:
    """A page of workflows has no more items than `limit`, 20 if it was not sent.

    A client allocates space for the items it requested. Example: 25 items without a `limit`.
    """
    window, count = _window(query), len(data["items"])
    if window is not None and count > window[0]:
        yield Mismatch(
            "/items", f"at most {window[0]} items", f"{count} items", "cut after `limit`"
        )


@rule(
    "DR121b",
    group=Group.LISTING,
    severity=Severity.ERROR,
    scope=Scope.WORKFLOW_PAGE,
    source=f"{_WORKFLOWS}, `limit`, `offset`, `total`",
    when=_with_items(_has_window, _has_total),
    needs="a list of workflows",
)
def workflow_pages_stay_in_the_total(
    data: Json, query: Json, _context: Context
) -> Iterator[Mismatch]:
    """A page of workflows does not extend beyond `total` and is not shorter than necessary.

    A server that ignores `offset` shows the same workflows again and again. Fewer items than remain
    in the list are only a warning. Example: offset 3 of a total of 4, and 3 items.
    """
    window, total, count = _window(query), whole(data.get("total")), len(data["items"])
    if window is None or total is None:
        return
    expected = min(window[0], max(0, total - window[1]))
    if count != expected:
        yield Mismatch(
            "/items",
            f"{expected} items (total {total}, offset {window[1]}, limit {window[0]})",
            f"{count} items",
            "skip `offset` items, then return `limit` items; count `total` with the same filter",
            Severity.WARNING if count < expected or count > window[0] else None,
        )


@rule(
    "DR121c",
    group=Group.LISTING,
    severity=Severity.ERROR,
    scope=Scope.WORKFLOW_PAGE,
    source=f"{_WORKFLOWS}, `has_more` and `total`",
    when=_with_items(_has_window, _has_total),
    needs="a list of workflows",
)
def workflow_pages_tell_of_more(data: Json, query: Json, _context: Context) -> Iterator[Mismatch]:
    """`has_more` of a page of workflows is true exactly if items follow it.

    A client requests the next page while it is true. A wrong false hides workflows; a wrong true
    makes the client loop for ever. On a page that is shorter than it could be, only a warning.
    Example: true on the only page.
    """
    window, total, has_more = _window(query), whole(data.get("total")), data.get("has_more")
    if window is None or total is None or not isinstance(has_more, bool):
        return
    reached = window[1] + len(data["items"])
    if has_more != (reached < total):
        yield Mismatch(
            "/has_more",
            f"{shown(reached < total)} (item {reached} of {total} is reached)",
            shown(has_more),
            "compare `offset` plus the number of items with `total`",
            None if reached >= total or len(data["items"]) == window[0] else Severity.WARNING,
        )


@rule(
    "DR121d",
    group=Group.LISTING,
    severity=Severity.ERROR,
    scope=Scope.WORKFLOW_PAGE,
    source=f"{_WORKFLOWS}, `id`",
    when=_with_items(),
    needs="a list of workflows",
)
def workflow_ids_are_unique(data: Json, _query: Json, _context: Context) -> Iterator[Mismatch]:
    """No workflow occurs twice on one page.

    Clients store a workflow under its id. Example: `wf_abc123` in two items.
    """
    for index, workflow_id in repeated([members(item).get("id") for item in data["items"]]):
        yield Mismatch(
            pointer_to("items", index, "id"),
            "an id that no earlier item has",
            shown(workflow_id),
            "list each workflow once",
        )


@rule(
    "DR121e",
    group=Group.LISTING,
    severity=Severity.ERROR,
    scope=Scope.WORKFLOW_PAGE,
    source=f"{_WORKFLOWS}, `status`: DRAFT or PUBLISHED",
    when=_with_items(_filters_by_status),
    needs="a list of workflows filtered by status",
)
def workflow_status_filter_is_kept(
    data: Json, query: Json, _context: Context
) -> Iterator[Mismatch]:
    """A list of workflows filtered by `status` has only workflows of that status.

    A client that requests published workflows must not run a draft. Example: a DRAFT in the
    response to `status=PUBLISHED`.
    """
    wanted = query["status"]
    for index, item in enumerate(data["items"]):
        status = text(members(item).get("status"))
        if status is not None and status != wanted:
            yield Mismatch(
                pointer_to("items", index, "status"),
                shown(wanted),
                shown(status),
                "filter by `status` before cutting the page",
            )


@rule(
    "DR122a",
    group=Group.CATALOGUE,
    severity=Severity.ERROR,
    scope=Scope.CATALOGUE,
    source=f"{_ACTIONS}: not paginated; `total`",
    when=_with_items(_has_total),
    needs="the catalogue of actions",
)
def catalogue_total_is_its_length(data: Json, query: Json, _context: Context) -> Iterator[Mismatch]:
    """`total` of the catalogue is the number of its actions.

    The catalogue is not paginated, so one response contains all of it; with a larger total, a
    client looks for the rest. With a `category`, a difference is only a warning. Example: total 12,
    10 items.
    """
    total, count = whole(data.get("total")), len(data["items"])
    if total != count:
        yield Mismatch(
            "/total",
            f"{count}, the number of items",
            shown(data.get("total")),
            "count the items of this response",
            Severity.WARNING if _filters_by_category(data, query) else None,
        )


@rule(
    "DR122b",
    group=Group.CATALOGUE,
    severity=Severity.ERROR,
    scope=Scope.CATALOGUE,
    source=f"{_ACTIONS}, `category`",
    when=_with_items(_filters_by_category),
    needs="the catalogue filtered by category",
)
def catalogue_category_is_kept(data: Json, query: Json, _context: Context) -> Iterator[Mismatch]:
    """A catalogue filtered by `category` has only actions of that category.

    Tested for actions that have a category. Both documented spellings of a category are equal
    (`control-flow` and `control_flow`). Example: a `crm` action under `category=ai`.
    """
    wanted = _category(query["category"])
    for index, item in enumerate(data["items"]):
        category = text(members(item).get("category"))
        if category and _category(category) != wanted:
            yield Mismatch(
                pointer_to("items", index, "category"),
                shown(query["category"]),
                shown(category),
                "filter the actions by `category`",
            )


def _category(name: str) -> str:
    lowered = name.lower()
    return _SAME_CATEGORY.get(lowered, lowered)


@rule(
    "DR122c",
    group=Group.CATALOGUE,
    severity=Severity.WARNING,
    scope=Scope.CATALOGUE,
    source=f"Inferred from {_ACTIONS}, `kind`",
    when=_with_items(),
    needs="the catalogue of actions",
)
def catalogue_kinds_are_unique(data: Json, _query: Json, _context: Context) -> Iterator[Mismatch]:
    """No action kind occurs twice in the catalogue.

    The `operation` of a step refers to its action by the kind alone. Example: two actions of kind
    `generic_agent`.
    """
    for index, kind in repeated([members(item).get("kind") for item in elements(data["items"])]):
        yield Mismatch(
            pointer_to("items", index, "kind"),
            "a kind that no earlier action has",
            shown(kind),
            "list each action once",
        )


RULES = (
    workflow_pages_keep_the_limit,
    workflow_pages_stay_in_the_total,
    workflow_pages_tell_of_more,
    workflow_ids_are_unique,
    workflow_status_filter_is_kept,
    catalogue_total_is_its_length,
    catalogue_category_is_kept,
    catalogue_kinds_are_unique,
)
