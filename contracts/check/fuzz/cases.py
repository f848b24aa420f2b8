"""Convert Schemathesis cases to requests of the check, and exchanges to responses."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

import requests
from schemathesis.core import NotSet
from schemathesis.core.transport import Response
from schemathesis.generation.case import Case
from schemathesis.transport.requests import prepare_query

from deadringer.contracts.check.http.client import Request
from deadringer.contracts.exchanges import Exchange, Intent
from deadringer.contracts.specification import operations

from .model import SAFE_METHODS, GeneratedPlan

AnyCase = Case[Any]
NO_RESPONSE = b'{"success": false, "error": {"code": "NOT_FOUND", "message": "no response"}}'


def request_of(case: AnyCase, headers: Mapping[str, str], plan: GeneratedPlan) -> Request | None:
    """Return the request of a case, or None if servers and proxies would rewrite its path."""
    operation = next(
        one
        for one in operations()
        if one.path == case.operation.path and one.method == case.operation.method.upper()
    )
    parameters = {
        name: unquote(str(case.path_parameters[name])) for name in operation.path_parameters
    }
    if case.method not in SAFE_METHODS and not plan.writes_allowed:
        return None
    if not all(map(_stays_one_segment, parameters.values())):
        return None
    sent = {str(name).lower(): value for name, value in [*case.headers.items(), *headers.items()]}
    body = None if isinstance(case.body, NotSet) else case.body
    if not all(isinstance(one, str) and one.isascii() for one in sent.values()) or not _is_json(
        body
    ):
        return None
    keys = {sent.get("x-api-key"), sent.get("authorization")} - {None, plan.api_key}
    return Request(
        operation=operation,
        path_parameters=parameters,
        query=_query(case),
        headers=sent,
        body=body,
        method=case.method,
        intent=Intent.BAD_KEY if keys else Intent.FUZZ,
    )


def _stays_one_segment(value: str) -> bool:
    """Return whether every server reads the value as the same single path segment.

    WSGI servers decode `%2F` before they route, and proxies remove dot segments.
    """
    return bool(value) and "/" not in value and value not in {".", ".."}


def _is_json(body: Any) -> bool:
    try:
        json.dumps(body, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


def _query(case: AnyCase) -> dict[str, str]:
    """Return the query as sent; a parameter sent more than once has its values joined."""
    prepared = prepare_query(case) or {}
    if isinstance(prepared, str):
        pairs = parse_qsl(prepared, keep_blank_values=True)
    else:
        pairs = [
            (str(name), str(one))
            for name, value in prepared.items()
            if value is not None
            for one in (value if isinstance(value, list | tuple) else [value])
        ]
    query: dict[str, str] = {}
    for name, value in pairs:
        query[name] = f"{query[name]},{value}" if name in query else value
    return query


def response_of(exchange: Exchange, base_url: str) -> Response:
    """Return the response of an exchange, in the form that Schemathesis' checks read."""
    sent = requests.Request(
        exchange.method,
        base_url.rstrip("/") + exchange.path,
        params=dict(exchange.query),
        headers=dict(exchange.request_headers),
    ).prepare()
    return Response(
        status_code=exchange.status,
        headers={name: [value] for name, value in exchange.response_headers.items()},
        content=exchange.response_body,
        request=sent,
        elapsed=exchange.elapsed_s,
        verify=True,
    )


def no_response(case: AnyCase) -> Response:
    """Return a placeholder for a response that did not arrive; no check reads it."""
    return Response(
        status_code=404,
        headers={"content-type": ["application/json"]},
        content=NO_RESPONSE,
        request=requests.Request(case.method, "http://localhost/").prepare(),
        elapsed=0.0,
        verify=True,
    )
