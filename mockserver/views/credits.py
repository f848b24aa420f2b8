"""Get Credit Balance."""

from collections.abc import Mapping

from flask import Response

from mockserver.credits import balance_of
from mockserver.service import Scene, Service

from .answers import good


def get_credit_balance(_service: Service, scene: Scene, _path: Mapping[str, str]) -> Response:
    """Answer with what is left; reading changes nothing."""
    balance = balance_of(scene.session, scene.now)
    return good("Credit balance retrieved successfully", balance)
