"""One request with its response, as passed on by every observer (runner, HAR file, journal)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from .json_text import JsonError, JsonText, parse_json
from .json_types import Json


class Intent(StrEnum):
    """Why a request was sent, if the request alone does not show it."""

    READ = "read"  # an ordinary request that should succeed
    BAD_KEY = "bad_key"  # carries a key that does not exist
    BEARER_KEY = "bearer_key"  # carries the valid key as a bearer token
    KEY_IN_QUERY = "key_in_query"  # carries the valid key where the API does not read it
    UNKNOWN_WORKFLOW = "unknown_workflow"
    UNKNOWN_RUN = "unknown_run"
    FOREIGN_RUN = "foreign_run"  # an existing run under another workflow's id
    FOREIGN_ORGANISATION = "foreign_organisation"
    NEAR_ID = "near_id"  # an id that differs slightly from one that exists
    EDGE_CASE_ID = "edge_case_id"  # an id no service hands out: dots, escapes, 1,000 characters
    BAD_QUERY = "bad_query"  # a parameter out of its documented range or of the wrong type
    BAD_BODY = "bad_body"
    PAGE_BEYOND_END = "page_beyond_end"
    WRONG_METHOD = "wrong_method"
    FUZZ = "fuzz"  # generated: valid or invalid


class Failure(StrEnum):
    """Why there is no complete response."""

    REFUSED = "connection refused"
    DROPPED = "connection dropped before the response was complete"
    TIMED_OUT = "no complete response in time"
    TOO_LARGE = "a response larger than the limit"
    MALFORMED = "a response that is not HTTP"
    UNTRUSTED = "a certificate that is not trusted"
    NO_TLS = "no TLS connection"
    UNKNOWN_HOST = "a host name that cannot be resolved"
    PROXY = "refused by the proxy"


MISSING = object()
"""The body of a response that is not JSON."""


@dataclass(frozen=True)
class Exchange:
    """A request and its response.

    Header names are lower case. `path` is the path as sent, without query and without the base
    URL's prefix; `path_parameters` are percent-decoded. `sent_at_s` is a monotonic or epoch time
    in seconds, `elapsed_s` runs to the last byte of the response. Where `failure` is set there is
    no whole response, and `status` is 0 if not even its head arrived; `cause` has the details.
    A recording may lack the body of a response: then `has_unknown_body` is true.
    """

    method: str
    path: str
    status: int
    operation_id: str | None = None
    path_parameters: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    request_headers: Mapping[str, str] = field(default_factory=dict)
    request_body: Json = None
    response_headers: Mapping[str, str] = field(default_factory=dict)
    response_body: bytes = b""
    sent_at_s: float = 0.0
    elapsed_s: float = 0.0
    intent: Intent = Intent.READ
    failure: Failure | None = None
    cause: str = ""
    has_unknown_body: bool = False

    @property
    def body(self) -> Json:
        """The response's body as parsed JSON, or MISSING if it is not JSON."""
        return MISSING if isinstance(self._read, JsonError) else self._read.value

    @property
    def repeated_members(self) -> tuple[str, ...]:
        """The JSON Pointers of members that an object of the body has more than once."""
        return () if isinstance(self._read, JsonError) else self._read.repeated

    @property
    def why_not_json(self) -> str:
        """Why the body is not JSON; empty if it is."""
        return str(self._read) if isinstance(self._read, JsonError) else ""

    @cached_property
    def _read(self) -> JsonText | JsonError:
        try:
            return parse_json(self.response_body)
        except JsonError as error:
            return error

    @property
    def carries_key(self) -> bool:
        """Return whether the request has credentials where the API reads them."""
        headers = self.request_headers
        bearer = headers.get("authorization", "").removeprefix("Bearer").strip()
        return bool(headers.get("x-api-key", "").strip() or bearer)

    @property
    def succeeded(self) -> bool:
        """Return whether the response's status is 2xx."""
        return 200 <= self.status < 300
