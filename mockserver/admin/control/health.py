"""Health of the server, for supervisors and load balancers; it needs no token."""

from deadringer.contracts import JsonObject
from deadringer.mockserver.errors import ApiError
from deadringer.mockserver.state.events import StateUnreachableError
from deadringer.mockserver.world.service import Service

from .context import ControlContext


def get_live(_control: ControlContext) -> JsonObject:
    """Return that the process handles requests; it does not depend on its state."""
    return {"status": "live"}


def get_ready(control: ControlContext) -> JsonObject:
    """Return that the server may get requests.

    Raises:
        StateUnreachableError: if it may show an older state than other replicas.
    """
    require_ready(control.service)
    return {"status": "ready"}


def require_ready(service: Service) -> None:
    """Apply all changes of other replicas.

    Raises:
        StateUnreachableError: if they cannot be known, or not be applied.
    """
    try:
        service.require_current()
    except StateUnreachableError:
        raise
    except ApiError as problem:
        raise StateUnreachableError(problem.message) from problem
