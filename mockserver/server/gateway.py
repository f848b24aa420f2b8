"""Runs a WSGI application behind an ASGI server: the loop reads bodies, threads make responses."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from .bodies import Body, HeldBytes
from .environ import COMMON, WITHOUT_BODY, Environ, Scope, environ_of
from .heads import Date
from .limits import Limits
from .refusals import BODY_TOO_LARGE, RefusedError, unreadable
from .response_writer import Connection, Message, ResponseWriter, Send
from .threads import Threads
from .wire import BrokenConnectionError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

LOG = logging.getLogger("deadringer")
Receive = Callable[[], Awaitable[Message]]
ErrorBody = Callable[[int, str, str], bytes]
"""Returns the JSON body of a refusal: of its status, what is wrong, and how to mend it."""
_LONGEST_LENGTH = 19
"""Digits of a Content-Length that can be meant."""


class CachedResponses(Protocol):
    """Responses that are sent from the event loop: nothing here may wait."""

    def key_of(self, environ: Environ) -> Any:
        """Return the cache key of a request; None if no response to it is ever cached."""

    def lookup(self, key: Any, environ: Environ) -> tuple[list[bytes], bytes] | Environ:
        """Return status line and headers, in parts, and the body of a cached response.

        Where there is none: what the application's environ is to hold beside the request's.
        """


class Gateway:
    """The ASGI application, and what all connections of a server share.

    `redact` returns a text without its secrets; it gets the messages of refusals. Without
    `decodes_bodies`, the application gets the bodies of requests as they were sent.
    """

    def __init__(
        self,
        application: "WSGIApplication",
        error_body: ErrorBody,
        cache: CachedResponses | None = None,
        limits: Limits | None = None,
        redact: Callable[[str], str] = str,
        *,
        decodes_bodies: bool = True,
    ) -> None:
        self.redact = redact
        self._decodes_bodies = decodes_bodies
        self.error_body = error_body
        self.cache = cache
        self.limits = limits or Limits()
        self.date = Date()
        self.parsed_requests: dict[bytes, tuple[Environ, Any]] = {}
        """Environ and cache key of requests that came before, by their bytes."""
        self.is_stopping = False
        self._application = application
        self._threads = Threads(self.limits.threads)
        self._held = HeldBytes(self.limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        connection: Connection = scope["state"]["connection"]
        writer = connection.writer = ResponseWriter(
            scope, send, self._held, self.date, decodes_bodies=self._decodes_bodies
        )
        try:
            with Body(self._held) as body:
                environ = scope["state"].get("environ") or environ_of(scope, self.limits)
                if await self._read_body(environ, receive, body):
                    run = partial(
                        writer.run, self._application, {**COMMON, **environ}, body.whole()
                    )
                    await writer.send(await self._threads.run(run))
        except RefusedError as refused:
            connection.send_refusal(refused.refusal, has_body=scope["method"] != "HEAD")
        except BrokenConnectionError as broken:
            connection.break_off(is_reset=broken.is_reset)
        except BrokenPipeError:  # the client is gone
            pass
        except asyncio.CancelledError:  # the server waits no longer
            connection.transport.abort()
        except BaseException:  # outside Flask, which handles its own; SystemExit as well
            LOG.exception("The server failed to handle a %s", scope["method"])
            if writer.has_begun:
                connection.break_off(is_reset=False)
            else:
                await writer.send_failure()
        finally:
            if connection.writer is writer:
                connection.writer = None
        if not writer.is_complete:
            # uvicorn takes a response that is refused or broken off for a mistake: it sends a 500.
            await connection.wait_until_closed()

    async def _read_body(self, environ: Environ, receive: Receive, body: Body) -> bool:
        """Read the whole body, if the request has one; return False if the client is gone.

        Raises:
            RefusedError: if the body is too large, or there is no room for it.
        """
        if environ["REQUEST_METHOD"] in WITHOUT_BODY:
            return True
        length = environ.get("CONTENT_LENGTH", "")
        if not (length or "0").isdecimal():
            raise RefusedError(unreadable(f"the Content-Length {length!r}"))
        if len(length) > _LONGEST_LENGTH or int(length or 0) > self.limits.body_bytes:
            raise RefusedError(BODY_TOO_LARGE.of(limits=self.limits))
        if length in {"", "0"} and "HTTP_TRANSFER_ENCODING" not in environ:
            return True
        more = True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return False
            body.append(message["body"])
            more = message["more_body"]
        return True
