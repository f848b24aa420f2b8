"""What the requests of a session, or of all sessions, met."""

from deadringer.contracts import JsonObject
from deadringer.contracts.coverage import CoverageReport
from deadringer.mockserver.admin.address import address_of

from .context import ControlContext


def get_coverage(control: ControlContext) -> JsonObject:
    """Return the coverage since the session's reset; with `all=true` since the server's start."""
    coverage, session = control.coverage, control.session_name
    is_total = control.query["all"] == "true"
    tally = coverage.total() if is_total else coverage.tally(session)
    is_proxy = control.traffic is not None
    address = address_of(control.service.settings, session, is_proxy=is_proxy)
    return CoverageReport(tally, address).to_json()
