"""The frame of the pages under `/__mock/ui/`: templates, assets and their security policy."""

import hashlib
import mimetypes
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

from flask import Flask, Response, current_app, render_template, request, url_for

from deadringer.contracts.trace_view import ASSETS as TRACE_ASSETS
from deadringer.mockserver.context import CONTEXT, SESSION_NAME, context_of_request

UI = "/__mock/ui/"
_FOLDERS = (Path(__file__).parent / "static", TRACE_ASSETS)
_YEAR_S = 365 * 24 * 3600
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


class NavigationItem(NamedTuple):
    """A link in the navigation."""

    label: str
    endpoint: str


NAVIGATION = (
    NavigationItem("Runs", "ui runs"),
    NavigationItem("Contract", "ui contract"),
    NavigationItem("Rules", "ui rules"),
    NavigationItem("Journal", "ui journal"),
    NavigationItem("Coverage", "ui coverage"),
    NavigationItem("Control", "ui control"),
)
"""The links in order; those whose endpoint the application lacks are omitted."""


def add_shell(app: Flask) -> None:
    """Add the assets and the headers of every page."""
    app.jinja_env.globals.update(asset=asset_url, ui_url=ui_url)
    app.add_url_rule(f"{UI}assets/<version>/<path:name>", "ui asset", _asset)
    app.before_request(_require_session_name)
    app.after_request(_protect)


def show_page(template: str, here: str, *, status: int = HTTPStatus.OK, **values: Any) -> Response:
    """Return a page; `here` is the endpoint that the navigation marks."""
    known = current_app.view_functions
    text = render_template(
        template,
        here=here,
        navigation=[one for one in NAVIGATION if one.endpoint in known],
        session_name=session_of_page(),
        **values,
    )
    # A lone surrogate, which a document may contain, has no UTF-8 form.
    body = text.encode("utf-8", "backslashreplace")
    response = Response(body, status=status, mimetype="text/html")
    response.headers["Cache-Control"] = "no-store"
    return response


def show_problem(title: str, fix: str, here: str = "ui runs") -> Response:
    """Return the page for something that does not exist."""
    return show_page("problem.html", here, status=HTTPStatus.NOT_FOUND, title=title, fix=fix)


def session_of_page() -> str:
    """Return the session of the page, "" for the default one."""
    name = request.args.get("session", "")
    return name if SESSION_NAME.fullmatch(name) else ""


def _require_session_name() -> Response | None:
    """Return an error page for an invalid session name, which would mean the default session."""
    name = request.args.get("session") or ""
    if not name or not request.path.startswith(UI) or SESSION_NAME.fullmatch(name):
        return None
    fix = "Name the session by 1 to 64 of A-Z a-z 0-9 . _ -"
    status = HTTPStatus.BAD_REQUEST
    title = f"{name[:80]!r} is not a session name"
    return show_page("problem.html", "ui runs", status=status, title=title, fix=fix)


def ui_url(endpoint: str, **values: Any) -> str:
    """Return the path of a page in the current session."""
    # An id with a lone surrogate cannot be linked to, but must not break the page.
    parts: dict[str, Any] = {
        name: value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
        for name, value in values.items()
    }
    return url_for(endpoint, session=session_of_page() or None, **parts)


def asset_url(name: str) -> str:
    """Return the path of an asset; it changes when any asset changes, so it is cacheable."""
    return f"{UI}assets/{_version()}/{name}"


@cache
def _files() -> dict[str, Path]:
    """Return every asset of both folders by name."""
    return {
        path.relative_to(folder).as_posix(): path
        for folder in _FOLDERS
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@cache
def _version() -> str:
    digest = hashlib.sha256()
    for name, path in sorted(_files().items()):
        digest.update(name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _asset(version: str, name: str) -> Response:
    path = _files().get(name)
    if path is None:
        return Response("There is no such asset.\n", HTTPStatus.NOT_FOUND, mimetype="text/plain")
    kind = "text/javascript" if path.suffix == ".js" else mimetypes.guess_type(name)[0]
    response = Response(path.read_bytes(), mimetype=kind or "application/octet-stream")
    if version == _version():
        response.headers["Cache-Control"] = f"public, max-age={_YEAR_S}, immutable"
    return response


def _protect(response: Response) -> Response:
    is_page = request.path.startswith(UI)
    is_fetched = is_page and request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate"
    # Requests of scripts are not logged. The viewer has neither log nor context.
    if is_fetched and CONTEXT in request.environ:
        context_of_request().is_quiet = True
    if is_page or request.path == "/":
        response.headers.setdefault("Content-Security-Policy", _POLICY)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
    return response
