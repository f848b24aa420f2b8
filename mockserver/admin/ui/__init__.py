"""The pages of the mock, the front page and the specification; none needs an API key."""

from functools import lru_cache, partial

import yaml
from flask import Flask, Response, render_template, request

from deadringer.contracts import JsonObject, bundle_specification, json_bytes
from deadringer.mockserver.admin.address import own_url
from deadringer.mockserver.admin.control.context import SeenTraffic
from deadringer.mockserver.api.in_process import InProcessApi
from deadringer.mockserver.api.middleware.coverage import Coverage
from deadringer.mockserver.api.middleware.journal import Journal
from deadringer.mockserver.context import SESSION_NAME
from deadringer.mockserver.world.documents import NamedRun
from deadringer.mockserver.world.service import Service

from .contract_page import add_contract_page
from .control_pages import add_control_pages
from .coverage_page import add_coverage_page
from .rules_page import add_rules_page
from .runs import add_runs
from .seen_runs import add_seen_runs
from .shell import add_shell, show_page
from .sign_in_page import add_sign_in_page
from .trace import add_trace

LINKS = {"specification": "/openapi.json", "specification_yaml": "/openapi.yaml"}
_POLICY_ALONE = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""The policy of the front page without the control API, which has inline style."""


def add_pages(
    app: Flask,
    service: Service,
    api: InProcessApi,
    journal: Journal | None,
    coverage: Coverage | None,
) -> None:
    """Add `/`, `/openapi.json` and `/openapi.yaml`, and with the control API its pages."""
    app.template_folder = "admin/ui/templates"
    if journal is not None and coverage is not None:
        add_shell(app)
        app.jinja_env.globals["session_names"] = partial(_session_names, service, journal)
        add_runs(app, service, api)
        add_trace(app, service, api)
        add_contract_page(app, service)
        add_rules_page(app)
        add_control_pages(app, service)
        add_coverage_page(app, service, coverage)
        add_sign_in_page(app, service)
    app.add_url_rule("/", "front_page", lambda: _front_page(service))
    app.add_url_rule("/openapi.json", "specification", lambda: _specification(service))
    app.add_url_rule("/openapi.yaml", "specification_yaml", lambda: _specification_yaml(service))


def add_proxy_pages(
    app: Flask, service: Service, journal: Journal, coverage: Coverage, traffic: SeenTraffic
) -> None:
    """Add the pages of a proxy: what it has seen, the rules, and its faults."""
    app.template_folder = "admin/ui/templates"
    add_shell(app)
    app.jinja_env.globals["session_names"] = partial(_session_names, service, journal)
    add_seen_runs(app, traffic, service.redactor)
    add_rules_page(app)
    add_control_pages(app, service, has_world=False)
    add_coverage_page(app, service, coverage, is_proxy=True)
    add_sign_in_page(app, service)


def _session_names(service: Service, journal: Journal) -> list[str]:
    """Return the names of all sessions that were changed or sent a request."""
    names = {*service.session_names(), *journal.sessions()}
    return sorted(name for name in names if SESSION_NAME.fullmatch(name))


def _front_page(service: Service) -> Response:
    runs = list(service.executions.named_runs())
    if request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
        response = _front_page_of(runs, has_pages=service.settings.control)
    else:
        listed = [
            {"name": run.name, "story": run.story, "status": run.status, "path": run.path}
            for run in runs
        ]
        body = {"name": "deadringer", **LINKS, "runs": listed}
        response = Response(json_bytes(body, compact=False), mimetype="application/json")
    response.headers["Vary"] = "Accept"
    return response


def _front_page_of(runs: list[NamedRun], *, has_pages: bool) -> Response:
    if has_pages:
        return show_page("front_page.html", "front_page", runs=runs)
    response = Response(render_template("front_page_alone.html", runs=runs), mimetype="text/html")
    response.headers["Content-Security-Policy"] = _POLICY_ALONE
    return response


def _specification(service: Service) -> Response:
    return Response(_as_json(own_url(service.settings)), mimetype="application/json")


def _specification_yaml(service: Service) -> Response:
    return Response(_as_yaml(own_url(service.settings)), mimetype="application/yaml")


def _specification_at(url: str) -> JsonObject:
    """Return the bundle with the address that serves it as its first server."""
    bundle = bundle_specification()
    own, *others = bundle["servers"]
    return {**bundle, "servers": [{**own, "url": url}, *others]}


@lru_cache(maxsize=8)
def _as_json(url: str) -> bytes:
    return json_bytes(_specification_at(url), compact=False)


@lru_cache(maxsize=8)
def _as_yaml(url: str) -> str:
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(
        _specification_at(url), Dumper=dumper, sort_keys=False, allow_unicode=True
    )
    return text
