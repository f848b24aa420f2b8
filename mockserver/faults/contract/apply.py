"""Puts contract faults between the application and its callers."""

import copy
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from typing import Any
from urllib.parse import parse_qsl

from deadringer.contracts import operations
from deadringer.mockserver.context import API_ROOT, CACHEABLE, asked_path

from .model import Answer, ContractFault, Counts, Traffic

StartResponse = Callable[..., Any]
WsgiApp = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class FaultyAnswers:
    """A WSGI application that answers as another one does, with bugs.

    Answers of the API alone are changed. `good_keys` are those the application accepts; `counts`
    are those of a session.
    """

    def __init__(
        self,
        application: WsgiApp,
        faults: Sequence[ContractFault],
        good_keys: Sequence[str],
        counts: Counts | None = None,
    ) -> None:
        self._application = application
        self._faults = faults
        self._good_keys = good_keys
        self._counts = counts or _OwnCounts()
        self._templates = [
            (one.method, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", one.path)), one)
            for one in operations()
        ]

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if not asked_path(environ).startswith(API_ROOT):
            return self._application(environ, start_response)
        answer = self._ask(environ)
        environ.pop(CACHEABLE, None)  # what lasted was the true answer
        traffic = self._traffic(environ)
        for fault in self._faults:
            if not put_fault(fault, traffic, answer):
                _call_unapplied(fault, answer)
        return _send(answer, start_response)

    def _traffic(self, environ: dict[str, Any]) -> Traffic:
        method, path = environ["REQUEST_METHOD"], asked_path(environ)
        operation_id, ids = "", {}
        for known_method, template, operation in self._templates:
            match = template.fullmatch(path)
            if match and method == known_method and not operation_id:
                operation_id, ids = operation.operation_id, match.groupdict()
        bearer = environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
        key = environ.get("HTTP_X_API_KEY") or bearer
        return Traffic(
            method=method,
            path=path,
            operation_id=operation_id,
            ids=ids,
            query=dict(parse_qsl(environ.get("QUERY_STRING", ""))),
            key=key,
            has_good_key=key in self._good_keys,
            count=self._counts.add(f"{method} {path}?{environ.get('QUERY_STRING', '')}"),
            counts=self._counts,
            ask=lambda path: self._ask(self._own_request(environ, path)),
            headers={"authorization": bearer} if bearer else {},
        )

    def _own_request(self, environ: dict[str, Any], path: str) -> dict[str, Any]:
        """Give the environment of a request the server sends to itself."""
        path, _, query = path.partition("?")
        return {
            **environ,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": "GET",
            "HTTP_X_API_KEY": self._good_keys[0],
            "wsgi.input": io.BytesIO(),
            "CONTENT_LENGTH": "0",
        }

    def _ask(self, environ: dict[str, Any]) -> Answer:
        told: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], *_rest: Any) -> None:
            told[:] = [status, headers]

        accepted = environ.pop("HTTP_ACCEPT_ENCODING", None)  # a bug is put into plain JSON
        raw = b"".join(self._application(environ, start))
        if accepted is not None:
            environ["HTTP_ACCEPT_ENCODING"] = accepted
        status, headers = told
        try:
            body, kept = json.loads(raw), None
        except ValueError:
            body, kept = None, raw
        named = {name.lower(): value for name, value in headers}
        return Answer(int(status.split()[0]), named, body, kept)


class _OwnCounts:
    """Counters that belong to no session."""

    def __init__(self) -> None:
        self._counter: Counter[str] = Counter()

    def add(self, name: str) -> int:
        self._counter[name] += 1
        return self._counter[name] - 1

    def value(self, name: str) -> int:
        return self._counter[name]


def _send(answer: Answer, start_response: StartResponse) -> Iterable[bytes]:
    raw = answer.raw
    if raw is None:
        raw = json.dumps(answer.body, ensure_ascii=False).encode("utf-8", "backslashreplace")
    answer.headers["content-length"] = str(len(raw))
    start_response(f"{answer.status} Faulty", list(answer.headers.items()))
    return [raw]


_APPLIED = "preference-applied"


def put_fault(fault: ContractFault, traffic: Traffic, answer: Answer) -> bool:
    """Put a fault into an answer, and tell whether that changed it.

    Where an earlier fault has left no place for it, it does nothing.
    """
    before = copy.deepcopy(answer)
    try:
        fault.change(traffic, answer)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        for one in fields(Answer):
            setattr(answer, one.name, getattr(before, one.name))
        return False
    return answer != before


def _call_unapplied(fault: ContractFault, answer: Answer) -> None:
    """Take a fault that left the answer as it was out of what is called honoured."""
    names = answer.headers.pop(_APPLIED, "").split(", ")
    rest = ", ".join(name for name in names if name != f"fault={fault.name}")
    if rest:
        answer.headers[_APPLIED] = rest
