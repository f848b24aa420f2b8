"""What became of the entries of HAR recordings: validated, or skipped for a reason."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from deadringer.contracts.json_types import JsonObject


class SkipReason(StrEnum):
    """Why an entry of a recording is not validated."""

    MALFORMED = "malformed"
    NOT_HTTP = "not_http"
    PREFLIGHT = "preflight"
    OTHER_PATH = "other_path"
    STUBBED = "stubbed"
    NO_RESPONSE = "no_response"
    REDIRECT = "redirect"
    CACHED = "cached"

    @property
    def words(self) -> str:
        """Return the reason for people, as it follows a number of entries."""
        return _WORDS[self]


_WORDS = {
    SkipReason.MALFORMED: "malformed",
    SkipReason.NOT_HTTP: "not HTTP (WebSocket or another scheme)",
    SkipReason.PREFLIGHT: "CORS preflight",
    SkipReason.OTHER_PATH: "no operation of the API",
    SkipReason.STUBBED: "from a stub in a test, not from the server",
    SkipReason.NO_RESPONSE: "without a response (aborted, blocked or failed)",
    SkipReason.REDIRECT: "redirected to the same path",
    SkipReason.CACHED: "from a cache or a service worker",
}


@dataclass(frozen=True, slots=True)
class EntryCounts:
    """What became of the entries of recordings; `skipped` counts by reason.

    Of entries `without_body`, status and headers were validated, and no more.
    """

    entries: int = 0
    validated: int = 0
    without_body: int = 0
    skipped: Counter[SkipReason] = field(default_factory=Counter)

    def __add__(self, other: "EntryCounts") -> "EntryCounts":
        """Return the counts of both."""
        return EntryCounts(
            self.entries + other.entries,
            self.validated + other.validated,
            self.without_body + other.without_body,
            self.skipped + other.skipped,
        )

    def __str__(self) -> str:
        """Return one line for people."""
        line = f"{self.entries} entries, {self.validated} validated"
        if self.without_body:
            line += f" ({self.without_body} without a recorded body: status and headers only)"
        reasons = ", ".join(f"{self.skipped[one]} {one.words}" for one in sorted(self.skipped))
        return f"{line}, {self.skipped.total()} skipped" + (f": {reasons}" if reasons else "")

    def as_json(self) -> JsonObject:
        """Return the counts as a JSON object, `skipped` by the names of the reasons."""
        skipped = {one.value: self.skipped[one] for one in sorted(self.skipped)}
        return {
            "total": self.entries,
            "validated": self.validated,
            "without_body": self.without_body,
            "skipped": skipped,
        }
