"""Get Credit Balance."""

from collections.abc import Mapping

from flask import Response

from mockserver.service import Service

from .answers import good


def get_credit_balance(service: Service, _path: Mapping[str, str]) -> Response:
    """Answer with what is left; reading changes nothing."""
    balance = service.family.balance(service.clock.now())
    return good("Credit balance retrieved successfully", balance)
