"""The page that asks for the control token once: `/__mock/ui/token`."""

from http import HTTPStatus
from urllib.parse import urlsplit, urlunsplit

from flask import Flask, redirect, request
from werkzeug.wrappers import Response

from deadringer.mockserver.admin.control import SIGN_IN, is_token, remember
from deadringer.mockserver.world.service import Service

from .shell import UI, show_page


def add_sign_in_page(app: Flask, service: Service) -> None:
    """Add the page, where there is a token to ask for."""
    token = service.settings.control_token
    if token is not None:
        app.add_url_rule(SIGN_IN, "ui token", lambda: _ask(""))
        app.add_url_rule(SIGN_IN, "ui told token", lambda: _hear(token), methods=["POST"])


def _ask(problem: str) -> Response:
    status = HTTPStatus.UNAUTHORIZED if problem else HTTPStatus.OK
    return show_page("sign_in.html", "ui token", status=status, problem=problem, following=_next())


def _hear(token: str) -> Response:
    if not is_token(request.form.get("token", ""), token):
        return _ask("That is not the token this mock was started with.")
    response = redirect(_next(), HTTPStatus.SEE_OTHER)
    remember(response, token)
    return response


def _next() -> str:
    """Return the page to go on to: one of ours, whatever the link said."""
    wanted = urlsplit(request.values.get("next", ""))
    is_ours = not wanted.netloc and wanted.path.startswith(UI) and wanted.path != SIGN_IN
    address = urlunsplit(("", "", wanted.path, wanted.query, ""))
    return address if is_ours and address.isprintable() else f"{UI}control"
