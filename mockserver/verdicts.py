"""What was found about requests of the journal: each is judged when somebody first reads it."""

import threading
from collections.abc import Callable

from contracts import JsonObject

Verdict = list[JsonObject] | None


class Verdicts:
    """Findings by the number of the request, the last `most` of them.

    What has passed never changes and numbers never come again, so a finding stays true. Each
    worker finds for itself what it is asked for.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._found: dict[int, Verdict] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._found)

    def of(self, number: int, judge: Callable[[], Verdict]) -> Verdict:
        """Give what was found about a request, judging it if nobody has."""
        with self._lock:
            if number in self._found:
                return self._found[number]
        verdict = judge()  # takes long; at worst two readers of one moment do it both
        with self._lock:
            self._found[number] = verdict
            while len(self._found) > self._most:
                del self._found[next(iter(self._found))]
        return verdict
