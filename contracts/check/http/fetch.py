"""Read single documents of a server, over the same way as a check: headers, TLS, proxies."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from deadringer.contracts.check.access import (
    KEY_HEADER,
    Access,
    httpcore_proxy,
    proxy_for,
    ssl_context_of,
    without_credentials,
)
from deadringer.contracts.input_files import LARGEST_DOCUMENT
from deadringer.contracts.redaction import SecretRedactor

from .bodies import BodyTooLargeError, read_body
from .deadline_transport import DeadlineTransport
from .failures import WORDS, failure_in_words, failure_of


class FetchError(Exception):
    """A server sends no response; the message states why and what to do, without secrets."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A response; header names are lower case, the body is decoded."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Fetcher:
    """Read documents of one server with GET, each within `timeout_s` from first to last byte.

    Follows no redirect, so that the key is sent to its own host only. `redactor` hides the key and
    the values of headers.

    Raises:
        AccessError: if certificates or a proxy of the environment cannot be used.
    """

    def __init__(self, url: str, access: Access, *, key: str | None, timeout_s: float) -> None:
        self.access = access
        self.redactor = SecretRedactor([key] if key else [], others=access.secrets())
        self._headers = {"accept": "application/json", "accept-encoding": "gzip, deflate"}
        self._headers |= access.sent({KEY_HEADER: key} if key else {})
        self._timeout_s = timeout_s
        self._proxy = proxy_for(url, access)
        self._ssl_context = ssl_context_of(access)
        self._httpcore_proxy = httpcore_proxy(self._proxy) if self._proxy else None

    def get(self, url: str) -> Fetched:
        """Return the response to a GET of a URL.

        Raises:
            FetchError: if there is none, or it has more than LARGEST_DOCUMENT bytes.
        """
        transport = DeadlineTransport(self._ssl_context, self._httpcore_proxy)
        transport.deadline.start(self._timeout_s)
        body = bytearray()
        try:
            with (
                httpx.Client(transport=transport, trust_env=False) as client,
                client.stream("GET", url, headers=self._headers) as response,
            ):
                read_body(response, LARGEST_DOCUMENT, body)
        except BodyTooLargeError as error:
            raise FetchError(f"{url}: more than {LARGEST_DOCUMENT:,} bytes.") from error
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise FetchError(self.redactor(self._in_words(url, error))) from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Fetched(response.status_code, headers, bytes(body))

    def _in_words(self, url: str, error: Exception) -> str:
        failure, cause = failure_of(error)
        place = url
        if self._proxy:
            place += f" through the proxy {without_credentials(self._proxy)}"
        if failure not in WORDS:
            return f"{place}: {failure}{f': {cause}' if cause else ''}."
        is_https = urlsplit(url).scheme == "https"
        return failure_in_words(
            failure,
            cause,
            place,
            of_url="the URL",
            has_proxy=self._proxy is not None,
            is_https=is_https,
        )
