"""The page of all runs: `/__mock/ui/runs`."""

from typing import Any

from flask import Flask, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from contracts import Json, parse_timestamp
from mockserver.runs import milliseconds_of
from mockserver.service import Scene, Service

from . import readable
from .run_search import NEWEST, PAGE, Search, find_runs
from .shell import UI, session_of_page, show_page, show_problem, ui_url

STATUSES = ("completed", "failed", "running")
_LAST_PLACE = 10**9


def add_runs(app: Flask, service: Service) -> None:
    """Add the list of runs, and the way to it from `/__mock/ui/`."""
    app.jinja_env.filters.update(
        duration=readable.duration, moment=readable.moment, ago=readable.ago
    )
    app.add_url_rule(UI, "ui", lambda: redirect(ui_url("ui runs")))
    app.add_url_rule(f"{UI}runs", "ui runs", lambda: _show_runs(service))


def _show_runs(service: Service) -> AnyResponse:
    scene = service.scene(session_of_page())
    search = _asked_for(scene)
    if search is None:
        return show_problem("There is no such workflow", "Choose one from the list of runs.")
    found = find_runs(scene, search)
    names = {run.run_id: run.name for run in service.executions.named_runs()}
    # The pages of a running list ask for its rows alone, again and again.
    template = "run_rows.html" if "fragment" in request.args else "runs.html"
    values: dict[str, Any] = {
        "search": search,
        "found": found,
        "names": names,
        "now": scene.now,
        "elapsed": lambda began: _elapsed(scene, began),
        "workflows": scene.workflows(),
        "statuses": STATUSES,
        "newest": NEWEST,
        "page_size": PAGE,
        "link": lambda **changed: _link(search, **changed),
        "workflow_names": {
            workflow_id: one["name"] for workflow_id, one in scene.family.workflows.items()
        },
    }
    response: Response = show_page(template, "ui runs", **values)
    return response


def _asked_for(scene: Scene) -> Search | None:
    workflow_id = request.args.get("workflow", "")
    if workflow_id and workflow_id not in scene.family.workflows:
        return None
    status = request.args.get("status", "")
    begin = request.args.get("from", "0")
    return Search(
        workflow_id,
        status if status in STATUSES else "",
        request.args.get("text", "").strip()[:200],
        min(int(begin), _LAST_PLACE) if begin.isascii() and begin.isdecimal() else 0,
    )


def _elapsed(scene: Scene, began: Json) -> str:
    moment = parse_timestamp(began) if isinstance(began, str) else None
    return readable.duration(scene.now_ms - milliseconds_of(moment)) if moment else ""


def _link(search: Search, **changed: Any) -> str:
    """Give the list as it is searched now, but for some parts; another search starts at the top."""
    values = {
        "workflow": search.workflow_id,
        "status": search.status,
        "text": search.text,
        "from": 0,
        **changed,
    }
    return ui_url("ui runs", **{name: value for name, value in values.items() if value})
