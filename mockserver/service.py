"""What every request shares: settings, executions, time and the rate limits."""

from dataclasses import dataclass, field

from contracts import Operation, operations

from .clock import Clock
from .executions import ExecutionSource
from .family import Family, make_family
from .rate_limits import RateLimits
from .redaction import Redactor
from .settings import Settings

_OPERATIONS = {operation.operation_id: operation for operation in operations()}


@dataclass(slots=True)
class Service:
    """The state behind the application.

    `executions` is replaced as a whole when files change (see `use`); a view reads it once.
    `family` is the world around them.
    """

    settings: Settings
    executions: ExecutionSource
    clock: Clock
    rate_limits: RateLimits = field(init=False)
    redactor: Redactor = field(init=False)
    family: Family = field(init=False)

    def __post_init__(self) -> None:
        """Make what follows from the settings."""
        self.rate_limits = RateLimits(self.settings.rate_policy, self.clock)
        self.redactor = Redactor(self.settings.api_keys)
        self.family = make_family(self.executions.all_executions())

    def use(self, executions: ExecutionSource) -> None:
        """Serve other executions from now on; started runs go on."""
        family = make_family(executions.all_executions())
        family.started, family.spent = self.family.started, self.family.spent
        self.executions, self.family = executions, family

    def operation(self, operation_id: str) -> Operation:
        """Give an operation of the specification.

        Raises:
            KeyError: if there is none of that id, which is a bug.
        """
        return _OPERATIONS[operation_id]
