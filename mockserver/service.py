"""What every request shares: settings, executions, time and the rate limits."""

from dataclasses import dataclass, field

from .clock import Clock
from .executions import ExecutionSource
from .rate_limits import RateLimits
from .redaction import Redactor
from .settings import Settings


@dataclass(slots=True)
class Service:
    """The state behind the application.

    `executions` is replaced as a whole when files change; a view reads it once.
    """

    settings: Settings
    executions: ExecutionSource
    clock: Clock
    rate_limits: RateLimits = field(init=False)
    redactor: Redactor = field(init=False)

    def __post_init__(self) -> None:
        """Make what follows from the settings."""
        self.rate_limits = RateLimits(self.settings.rate_policy, self.clock)
        self.redactor = Redactor(self.settings.api_keys)
