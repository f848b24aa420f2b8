"""The page of all runs: `/__mock/ui/runs`."""

from typing import Any

from flask import Flask, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from deadringer.contracts import Json, parse_timestamp
from deadringer.mockserver.api.in_process import InProcessApi
from deadringer.mockserver.state.clock import milliseconds_of
from deadringer.mockserver.world.service import Service, Snapshot

from . import readable
from .api_view import ApiLists
from .reserved_ids import reserved_remark, reserved_runs, reserved_workflows
from .run_search import NEWEST, WIDE_WINDOW, WINDOW, Page, Search, find_runs
from .shell import UI, session_of_page, show_page, show_problem, ui_url

STATUSES = ("completed", "failed", "running")
_LONGEST_PLACE = 10


def add_runs(app: Flask, service: Service, api: InProcessApi) -> None:
    """Add the list of runs, and a redirect to it from `/__mock/ui/`."""
    app.jinja_env.filters.update(
        duration=readable.duration, moment=readable.moment, ago=readable.ago
    )
    app.add_url_rule(UI, "ui", lambda: redirect(ui_url("ui runs")))
    app.add_url_rule(f"{UI}runs", "ui runs", lambda: _show_runs(service, api))


def _show_runs(service: Service, api: InProcessApi) -> AnyResponse:
    workflow_id = request.args.get("workflow", "")
    every, snapshot = (service.snapshot(session_of_page(), one) for one in ("", workflow_id))
    search = _search_of(snapshot, workflow_id)
    if search is None:
        return show_problem("There is no such workflow", "Choose one from the list of runs.")
    lists = ApiLists(api, snapshot)
    found = find_runs(lists, search)
    names = {run.run_id: run.name for run in service.executions.named_runs()}
    # A page with running runs fetches the rows alone, repeatedly.
    template = "run_rows.html" if "fragment" in request.args else "runs.html"
    own = [one for one in [snapshot.workflow(workflow_id)] if one and snapshot.is_reserved]
    values: dict[str, Any] = {
        "search": search,
        "found": found,
        "rows": found.rows,
        "remarks": [one for one in (reserved_remark(snapshot, workflow_id), lists.remark) if one],
        "names": names,
        "now": snapshot.now,
        "elapsed": lambda began: _elapsed(snapshot, began),
        "workflows": [*every.workflows(), *own],
        "statuses": STATUSES,
        "newest": NEWEST,
        "wide": WIDE_WINDOW,
        "is_wide": search.window == WIDE_WINDOW,
        "link": lambda **changed: _link(search, **changed),
        "newer": _newer(search, found),
        "reserved_workflows": [] if workflow_id else reserved_workflows(snapshot),
        "reserved_runs": reserved_runs() if workflow_id else [],
        "workflow_names": {
            workflow_id: one["name"] for workflow_id, one in snapshot.repository.workflows.items()
        },
    }
    response: Response = show_page(template, "ui runs", **values)
    return response


def _newer(search: Search, found: Page) -> str:
    """Return the address of the runs newer than those of a page, "" for the first page."""
    return _link(search, before=found.begin) if found.begin else ""


def _search_of(snapshot: Snapshot, workflow_id: str) -> Search | None:
    if workflow_id and workflow_id not in snapshot.repository.workflows:
        return None
    status = request.args.get("status", "")
    return Search(
        workflow_id,
        status if status in STATUSES else "",
        request.args.get("text", "").strip()[:200],
        _place("from"),
        _place("before"),
        WIDE_WINDOW if "wide" in request.args else WINDOW,
    )


def _place(name: str) -> int:
    written = request.args.get(name, "0")
    is_number = written.isascii() and written.isdecimal() and len(written) < _LONGEST_PLACE
    return int(written) if is_number else 0


def _elapsed(snapshot: Snapshot, began: Json) -> str:
    moment = parse_timestamp(began) if isinstance(began, str) else None
    return readable.duration(snapshot.now_ms - milliseconds_of(moment)) if moment else ""


def _link(search: Search, **changed: Any) -> str:
    """Return the address of this search with changed parameters, from its first page."""
    values = {
        "workflow": search.workflow_id,
        "status": search.status,
        "text": search.text,
        "from": 0,
        "before": 0,
        **changed,
    }
    return ui_url("ui runs", **{name: value for name, value in values.items() if value})
