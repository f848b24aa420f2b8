"""A plugin for pytest: tests that use `over_http` get three replicas in place of one mock.

Requests go to one replica after the other. Each also goes to one mock without Redis, whose
responses must be equal: status, headers in order, and body. Other tests are not collected.
"""

import inspect
import itertools
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask

from deadringer.mockserver.app import EXTENSION, build_app
from deadringer.mockserver.state import open_event_log, redis
from deadringer.mockserver.state.redis_url import parse_redis_url
from deadringer.mockserver.state.redis_windows import SharedWindows
from tests.mockserver import conftest, twins
from tests.mockserver.redis_server import RedisServer

REPLICAS = 3
OF_ONE_REPLICA = ("/__mock/journal", "/__mock/verify")
"""What each replica has for itself; tests that read it are not collected."""


class _Shared:
    """The Redis server of the session."""

    server: RedisServer | None = None


class ReplicaTwins(twins.Twins):
    """Three replicas that are compared with the application of the test."""

    def __init__(self, app: Flask) -> None:
        super().__init__(app)
        assert _Shared.server is not None
        service = app.extensions[EXTENSION]
        state = parse_redis_url(_Shared.server.url(uuid4().hex))
        log = open_event_log(state)
        log.set_once("began", service._start.since.isoformat())
        log.close()
        settings = replace(service.settings, state=state)
        self._replicas = [
            build_app(settings, clock=self._clock, executions=service.executions)
            for _ in range(REPLICAS)
        ]
        turns = itertools.cycle([one.wsgi_app for one in self._replicas])

        def next_replica(environ: dict[str, Any], start: Any) -> Any:
            return next(turns)(environ, start)

        self._apps = (next_replica, app.wsgi_app)

    def close(self) -> None:
        super().close()
        for one in self._replicas:
            one.extensions[EXTENSION].close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    used = [one for one in items if "over_http" in getattr(one, "fixturenames", ())]
    chosen = [one for one in used if not _reads_what_is_not_shared(one)]
    config.hook.pytest_deselected(items=[one for one in items if one not in chosen])
    items[:] = chosen


def _reads_what_is_not_shared(item: Any) -> bool:
    if "journal" in item.nodeid:
        return True
    source = inspect.getsource(item.function)
    return any(path in source for path in OF_ONE_REPLICA)


@pytest.fixture(scope="session", autouse=True)
def _replicas() -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    with tempfile.TemporaryDirectory() as folder:
        _Shared.server = RedisServer(Path(folder), "--appendonly", "no")
        patch.setattr(conftest, "Twins", ReplicaTwins)
        patch.setattr(redis, "LaggingWindows", SharedWindows)  # a lag of zero seconds
        yield
        patch.undo()
        _Shared.server.stop()
