"""A mapping that forgets what was used least recently."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class BoundedStore(Generic[Key, Value]):
    """At most `most` values, of `most_weight` together; those used least recently are dropped."""

    def __init__(self, most: int, most_weight: int = 2**63) -> None:
        self._most = most
        self._most_weight = most_weight
        self._weight = 0
        self._stored: OrderedDict[Key, tuple[Value, int]] = OrderedDict()

    def get(self, key: Key) -> Value | None:
        """Return a value, which counts as used; None if there is none."""
        found = self._stored.get(key)
        if found is None:
            return None
        self._stored.move_to_end(key)
        return found[0]

    def put(self, key: Key, value: Value, weight: int = 0) -> None:
        """Store a value; its weight has any unit, such as bytes."""
        self.drop(key)
        self._stored[key] = value, weight
        self._weight += weight
        while len(self._stored) > self._most or self._weight > self._most_weight:
            _, (_, dropped) = self._stored.popitem(last=False)
            self._weight -= dropped

    def drop(self, key: Key) -> Value | None:
        """Remove a value and return it; None if there is none."""
        found = self._stored.pop(key, None)
        if found is None:
            return None
        self._weight -= found[1]
        return found[0]

    def newest(self) -> list[tuple[Key, Value]]:
        """Return all keys with their values, the one stored or used last first."""
        return [(key, value) for key, (value, _) in reversed(self._stored.items())]
