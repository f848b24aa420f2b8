"""The contract page: the specification, with requests to try on this mock."""

from typing import NamedTuple

from flask import Flask, Response

from deadringer.mockserver.admin.address import shown_key
from deadringer.mockserver.world.service import Service

from .shell import UI, show_page


class Shown(NamedTuple):
    """A specification to show; `scheme` is the security scheme to fill the key into."""

    label: str
    url: str
    scheme: str


def add_contract_page(app: Flask, service: Service) -> None:
    """Add `/__mock/ui/contract`."""
    shown = [Shown("The API", "/openapi.json", "apiKey")]
    if service.settings.control:
        shown.append(Shown("The control API", "/__mock/openapi.json", ""))
    app.add_url_rule(
        f"{UI}contract",
        "ui contract",
        lambda: _contract_page(shown, shown_key(service.settings)),
    )


def _contract_page(shown: list[Shown], key: str) -> Response:
    return show_page("contract.html", "ui contract", shown=shown, key=key)
