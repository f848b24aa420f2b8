"""The sign-in page for the control token: `/__mock/ui/token`."""

from http import HTTPStatus
from urllib.parse import urlsplit, urlunsplit

from flask import Flask, redirect, request
from werkzeug.wrappers import Response

from deadringer.mockserver.admin.control import SIGN_IN, is_token, remember
from deadringer.mockserver.world.service import Service

from .shell import UI, show_page


def add_sign_in_page(app: Flask, service: Service) -> None:
    """Add the page if a token is required."""
    token = service.settings.control_token
    if token is not None:
        app.add_url_rule(SIGN_IN, "ui token", lambda: _show_form(""))
        app.add_url_rule(SIGN_IN, "ui sign in", lambda: _sign_in(token), methods=["POST"])


def _show_form(problem: str) -> Response:
    status = HTTPStatus.UNAUTHORIZED if problem else HTTPStatus.OK
    return show_page("sign_in.html", "ui token", status=status, problem=problem, following=_next())


def _sign_in(token: str) -> Response:
    if not is_token(request.form.get("token", ""), token):
        return _show_form("The token is wrong.")
    response = redirect(_next(), HTTPStatus.SEE_OTHER)
    remember(response, token)
    return response


def _next() -> str:
    """Return the address of the next page, always one of the mock's own."""
    wanted = urlsplit(request.values.get("next", ""))
    is_own = not wanted.netloc and wanted.path.startswith(UI) and wanted.path != SIGN_IN
    address = urlunsplit(("", "", wanted.path, wanted.query, ""))
    return address if is_own and address.isprintable() else f"{UI}control"
