"""Record errors of pages: console messages, policy violations, and requests to other machines."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Dialog, Page, Request

_LOCAL = {"127.0.0.1", "localhost", "::1"}
_INSIDE = {"data", "blob", "about", "chrome-error"}
_REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", event =>
  console.error("policy: " + event.violatedDirective + " blocked " + event.blockedURI));
"""


@dataclass
class Watch:
    """The errors of a page, in order."""

    wrongs: list[str] = field(default_factory=list)
    _forgiven: set[str] = field(default_factory=set)

    def forgive(self, part: str = "") -> None:
        """Ignore errors whose text contains this part, because the test causes them.

        The browser may report them late, so they are filtered at the end of the test.
        """
        self._forgiven.add(part)

    @property
    def unforgiven(self) -> list[str]:
        """The unexpected errors."""
        return [one for one in self.wrongs if not any(part in one for part in self._forgiven)]

    def over(self, page: Page) -> None:
        """Watch a page from now on."""
        page.add_init_script(_REPORT_VIOLATIONS)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.wrongs.append(f"page error: {error}"))
        page.on("dialog", lambda dialog: self._dialog(dialog))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.wrongs.append(f"console {message.type}: {message.text}")

    def _dialog(self, dialog: Dialog) -> None:
        self.wrongs.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in _INSIDE and address.hostname not in _LOCAL:
            self.wrongs.append(f"left the machine: {request.url}")
