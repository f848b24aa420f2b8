"""The connection to a Redis server: checked at the start, its failures as errors of the mock."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as NoConnectionError
from redis.exceptions import TimeoutError as NoReplyError
from redis.retry import Retry

from deadringer.mockserver.errors import ApiError
from deadringer.mockserver.exceptions import StartError

from .events import StateUnreachableError, UnreadableStateError
from .redis_url import RedisUrl

LOG = logging.getLogger("deadringer")
OLDEST = (6, 2)
"""XTRIM knows MINID since then."""
CONNECT_S = 0.5
REPLY_S = 1.0
"""How long a request waits for a connection, and for a reply, before state is unreachable."""
_UNREACHABLE = (NoConnectionError, NoReplyError, ReadOnlyError, AuthenticationError, OSError)
_FULL = ("OOM", "MISCONF")


class RedisConnection:
    """A checked connection to the server of an address, safe to use from several threads.

    A command is never repeated by itself: the first attempt may have changed something.

    Raises:
        StartError: if the server cannot be used; the message does not contain the password.
    """

    def __init__(self, url: RedisUrl) -> None:
        self.url = url
        try:
            self.client = redis.Redis.from_url(
                url.secret_url,
                socket_connect_timeout=CONNECT_S,
                socket_timeout=REPLY_S,
                retry=Retry(NoBackoff(), 0),
                protocol=2,
            )
            self._check()
        except (RedisError, OSError, ValueError) as problem:
            raise StartError(_start_problem(url, problem)) from None

    def key(self, part: str) -> str:
        """Return the name of a key; all keys of one mock have the same hash tag."""
        return f"deadringer:{{{self.url.name}}}:{part}"

    def script(self, source: str, *parts: str) -> "RedisScript":
        """Return a script that gets the keys of these parts."""
        return RedisScript(self, source, [self.key(part) for part in parts])

    @contextmanager
    def asking(self) -> Iterator[Any]:
        """Yield the client.

        Raises:
            StateUnreachableError: if the server cannot be asked, or does not take changes.
            ApiError: INSUFFICIENT_STORAGE if it has no room.
            UnreadableStateError: if it refuses for another reason.
        """
        try:
            yield self.client
        except (RedisError, OSError) as problem:
            self._raise(problem)

    def dedicated(self) -> Any:
        """Return a connection of the library for one thread that waits for the server."""
        return self.client.connection_pool.make_connection()

    def close(self) -> None:
        """Close all connections."""
        self.client.close()

    def _raise(self, problem: Exception) -> NoReturn:
        text = str(problem)
        if isinstance(problem, OutOfMemoryError) or text.startswith(_FULL):
            LOG.error("Cannot write state to %s: %s.", self.url, text.rstrip("."))
            raise ApiError(
                "INSUFFICIENT_STORAGE",
                "cannot write state: Redis has no room",
                "Free memory or disk of Redis, then send the request again",
            ) from problem
        if isinstance(problem, _UNREACHABLE):
            raise StateUnreachableError(_reason(problem), is_gone=_is_gone(problem)) from problem
        LOG.error("Cannot use state in %s: %s.", self.url, text.rstrip("."))
        raise UnreadableStateError(text) from problem

    def _check(self) -> None:
        about: Any = self.client.info("server")
        version = str(about["redis_version"])
        if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
            raise StartError(
                f"Redis at {self.url} has version {version}. "
                f"Use {OLDEST[0]}.{OLDEST[1]} or newer, or Valkey."
            )
        stored: Any = self.client.info("persistence")
        if not stored.get("aof_enabled"):
            LOG.warning(
                "Redis at %s does not log its changes: a restart of it loses acknowledged ones. "
                "Start it with appendonly yes.",
                self.url,
            )


class RedisScript:
    """A Lua script, which the server runs at once and as a whole."""

    def __init__(self, connection: RedisConnection, source: str, keys: list[str]) -> None:
        self._connection = connection
        self._keys = keys
        self._registered = connection.client.register_script(source)

    def run(self, *arguments: str | int | float) -> Any:
        """Return what the script returns; errors are those of `RedisConnection.asking`."""
        with self._connection.asking():
            return self._registered(keys=self._keys, args=arguments)

    def run_repeatable(self, *arguments: str | int | float) -> Any:
        """Return what a script returns that may run twice; a broken connection is made again."""
        try:
            return self.run(*arguments)
        except StateUnreachableError as problem:
            if problem.is_gone or isinstance(problem.__cause__, NoReplyError):
                raise
            return self.run(*arguments)

    def add_to(self, pipeline: Any, *arguments: str | int | float) -> None:
        """Let a pipeline run the script."""
        self._registered(keys=self._keys, args=arguments, client=pipeline)


def _is_gone(problem: Exception) -> bool:
    """Return whether no server runs there, or one that has not yet read its data."""
    cause = problem.__cause__ or problem.__context__
    return isinstance(cause, ConnectionRefusedError) or isinstance(problem, BusyLoadingError)


def _reason(problem: Exception) -> str:
    """Return in a few words why a server cannot be asked."""
    if isinstance(problem, NoReplyError):
        return "Redis does not reply"
    if isinstance(problem, ReadOnlyError):
        return "Redis takes no changes, it is a replica"
    if isinstance(problem, AuthenticationError):
        return "Redis refuses the password"
    if isinstance(problem, BusyLoadingError):
        return "Redis is loading its data"
    return "Redis cannot be reached"


def _start_problem(url: RedisUrl, problem: Exception) -> str:
    text = str(problem)
    if isinstance(problem, AuthenticationError) or text.startswith(("NOAUTH", "WRONGPASS")):
        return (
            f"Redis at {url} refused the user or the password. "
            "Set --state to redis://USER:PASSWORD@HOST:PORT/DATABASE."
        )
    if isinstance(problem, NoPermissionError):
        return f"Redis at {url} forbids a command: {text.rstrip('.')}. Allow it for this user."
    if isinstance(problem, ResponseError | ValueError):
        return f"Redis at {url} refused: {text.rstrip('.')}. Correct --state."
    if isinstance(problem, NoReplyError):
        return f"Redis at {url} does not reply. Start it, or correct --state."
    cause = problem.__cause__ or problem.__context__
    why = cause.strerror if isinstance(cause, OSError) and cause.strerror else "no connection"
    return f"Redis at {url} cannot be reached: {why.lower()}. Start it, or correct --state."
