"""The event log on a Redis server, which several replicas share."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator

from deadringer.contracts import JsonObject, exact_json_bytes
from deadringer.mockserver.errors import ApiError
from deadringer.mockserver.exceptions import StartError

from .events import (
    BEGINNINGS,
    EVERY_SESSION,
    ChangedMeanwhileError,
    Event,
    EventLog,
    EventsGoneError,
    Origin,
    SessionSnapshot,
    StateUnreachableError,
    UnreadableEventError,
    UnreadableSnapshotError,
    read_body,
)
from .rate_windows import Windows
from .redis_connection import RedisConnection
from .redis_lease import BEHIND, ReplicaLease
from .redis_url import RedisUrl
from .redis_windows import LaggingWindows, SharedWindows

LOG = logging.getLogger("deadringer")
FORMAT = 1
_NO_JSON = (ValueError, TypeError, RecursionError)
_CHANGED, _LOST = -1, -2

_ADD = (
    BEHIND
    + """
local about, events, last, snapshots, counted, replicas = unpack(KEYS)
local session, kind, body, after, history, known, is_beginning, me, counts = unpack(ARGV)
local newest = tonumber(redis.call('HGET', about, 'newest') or 0)
if redis.call('HGET', about, 'history') ~= history or newest < tonumber(known) then
    return {-2, 0}
end
if after ~= '' then
    local of_session = tonumber(redis.call('HGET', last, session) or 0)
    local of_all = tonumber(redis.call('HGET', about, 'reset_all') or 0)
    if math.max(of_session, of_all) > tonumber(after) then return {-1, 0} end
end
local number = redis.call('HINCRBY', about, 'newest', 1)
if kind == 'reset_all' then
    for _, one in ipairs(redis.call('SMEMBERS', counted)) do
        redis.call('UNLINK', counts .. one)
    end
    redis.call('UNLINK', counted, snapshots, last)
    redis.call('HSET', about, 'reset_all', number, 'reset_all_body', body)
else
    if is_beginning == '1' then
        redis.call('UNLINK', counts .. session)
        redis.call('SREM', counted, session)
        redis.call('HDEL', snapshots, session)
    end
    redis.call('HSET', last, session, number)
end
redis.call('XADD', events, number .. '-0', 'session', session, 'kind', kind, 'body', body)
return {number, behind(about, replicas, me, number)}
"""
)
_COUNT = """
redis.call('SADD', KEYS[1], ARGV[1])
return redis.call('HINCRBY', KEYS[2] .. ARGV[1], ARGV[2], 1) - 1
"""
_SAVE = """
local about, snapshots = unpack(KEYS)
local session, number, body, history = unpack(ARGV)
local stored = redis.call('HGET', snapshots, session)
local of_all = tonumber(redis.call('HGET', about, 'reset_all') or 0)
if redis.call('HGET', about, 'history') == history and tonumber(number) >= of_all
   and not (stored and tonumber(string.match(stored, '%d+')) >= tonumber(number)) then
    redis.call('HSET', snapshots, session, number .. ' ' .. body)
end
"""
_TRIM = """
local about, events = unpack(KEYS)
local number, history = unpack(ARGV)
local trimmed = tonumber(redis.call('HGET', about, 'trimmed') or 0)
if redis.call('HGET', about, 'history') == history and tonumber(number) > trimmed then
    redis.call('HSET', about, 'trimmed', number)
    redis.call('XTRIM', events, 'MINID', string.format('%.0f', number + 1))
end
"""


class RedisEventLog(EventLog):
    """The log as one Redis stream; snapshots, counters and values are hashes beside it.

    The numbers of events are the ids of the stream, without a gap. An event is acknowledged when
    `add` returns: then every replica with a lease knows of it (`ReplicaLease`).

    Raises:
        StartError: if the server cannot be used.
    """

    is_durable = True
    is_shared = True

    def __init__(self, url: RedisUrl) -> None:
        self._redis = RedisConnection(url)
        script = self._redis.script
        self._add = script(_ADD, "about", "events", "last", "snapshots", "counted", "replicas")
        self._count = script(_COUNT, "counted", "counts:")
        self._save = script(_SAVE, "about", "snapshots")
        self._trim = script(_TRIM, "about", "events")
        self._once: dict[str, str] = {}
        self._windows: list[Windows] = []
        self._lock = threading.Lock()
        self._lease = ReplicaLease(self._redis, self._learn)
        try:
            self._begin()
        except ApiError as problem:
            raise StartError(f"Redis at {url} cannot be used: {problem.message}.") from problem

    def _begin(self) -> None:
        form = self.set_once("format", str(FORMAT))
        if form != str(FORMAT):
            self._redis.close()
            raise StartError(
                f"The state in {self._redis.url} has format {form}, this version writes {FORMAT}. "
                "Use another name after #, or delete its keys to begin anew."
            )
        self._lease.start()

    @property
    def is_current(self) -> bool:
        """Whether `newest` is known to be the newest event; reading it costs nothing."""
        return self._lease.is_valid

    def refresh(self) -> None:
        """Make `newest` current: no event that was acknowledged before the call is newer.

        Raises:
            StateUnreachableError: if that cannot be known.
        """
        if not self._lease.is_valid:
            self._lease.renew()

    def follow(self, apply: Callable[[], None]) -> None:
        """Have a function called soon after another replica added an event."""
        self._lease.apply = apply

    def other_servers(self) -> int:
        """Return how many other replicas have a lease.

        Raises:
            StateUnreachableError: if the server cannot be asked.
        """
        return self._lease.count_others()

    def agreed_world(self, world: str) -> str:
        """Return the description of the world that all replicas with a lease show.

        Raises:
            StateUnreachableError: if the server cannot be asked.
        """
        return self._lease.agreed_world(world)

    def add(self, session: str, kind: str, body: JsonObject, after: int | None = None) -> int:
        """Append an event and return its number, once no replica can miss it.

        Raises:
            ApiError: INSUFFICIENT_STORAGE if the server has no room for it.
            ChangedMeanwhileError: if the session has an event after the number `after`.
            StateUnreachableError: if the server cannot be asked; the event may be added.
        """
        number, behind = self._add.run(
            session,
            kind,
            exact_json_bytes(body).decode(),
            "" if after is None else after,
            self.history,
            self.newest,
            int(kind in BEGINNINGS),
            self._lease.replica,
            self._redis.key("counts:"),
        )
        if number == _CHANGED:
            raise ChangedMeanwhileError
        if number == _LOST:
            self._lease.renew()
            raise StateUnreachableError("Redis has lost events")
        self._lease.know(number)
        self._learn(self.history, number)
        if behind:
            self._lease.wait_for_others(number)
        added: int = number
        return added

    def since(self, number: int) -> Iterator[Event]:
        """Yield the events after a number, oldest first.

        Raises:
            EventsGoneError: if some of them were dropped, or the numbers began anew.
            UnreadableEventError: if the body of one is not JSON.
            StateUnreachableError: if the server cannot be asked.
        """
        with self._redis.asking() as client:
            pipeline = client.pipeline(transaction=True)
            pipeline.hmget(self._redis.key("about"), "history", "newest")
            pipeline.xrange(self._redis.key("events"), f"{number + 1}-0")
            (history, newest), rows = pipeline.execute()
        is_other = (history or b"").decode() != self.history
        count = int(newest or 0) - number
        if is_other or count < 0 or len(rows) != count:
            self._lease.renew()  # the history may be another one by now
            raise EventsGoneError
        for name, members in rows:
            yield _event_of(name, members)

    def origin(self) -> Origin:
        """Return where a reader begins: after the events that were dropped."""
        with self._redis.asking() as client:
            history, trimmed, number, body = client.hmget(
                self._redis.key("about"), "history", "trimmed", "reset_all", "reset_all_body"
            )
        reset_all = None
        if number is not None:
            reset_all = Event(int(number), EVERY_SESSION, "reset_all", read_body(body))
        return Origin((history or b"").decode(), int(trimmed or 0), reset_all)

    def count(self, session: str, name: str) -> int:
        """Raise a counter of a session by one and return its value from before.

        Raises:
            ApiError: INSUFFICIENT_STORAGE if the server has no room.
            StateUnreachableError: if the server cannot be asked; it may be counted.
        """
        before: int = self._count.run(session, name)
        return before

    def counted(self, session: str, name: str) -> int:
        """Return the value of a counter, 0 for one that was never raised."""
        with self._redis.asking() as client:
            return int(client.hget(self._redis.key(f"counts:{session}"), name) or 0)

    def set_once(self, name: str, value: str) -> str:
        """Return the value of a name; the first value written stays."""
        about = self._redis.key("about")
        with self._redis.asking() as client:
            client.hsetnx(about, name, value)
            stored = str(client.hget(about, name).decode())
        self._once[name] = stored
        return stored

    def save(self, snapshots: Iterable[SessionSnapshot]) -> None:
        """Keep snapshots, all of them or none; one of another replica that is newer stays.

        Raises:
            ApiError: INSUFFICIENT_STORAGE if the server has no room.
            StateUnreachableError: if the server cannot be asked.
        """
        history = self.history
        with self._redis.asking() as client:
            pipeline = client.pipeline(transaction=True)
            for session, number, body in snapshots:
                text = exact_json_bytes(body).decode()
                self._save.add_to(pipeline, session, number, text, history)
            pipeline.execute()

    def trim(self, number: int) -> None:
        """Drop the events up to a number, all of which are in snapshots."""
        self._trim.run(number, self.history)

    def load(self, session: str) -> SessionSnapshot | None:
        """Return the snapshot of a session, None if it has none.

        Raises:
            UnreadableSnapshotError: if its body is not JSON.
        """
        with self._redis.asking() as client:
            stored = client.hget(self._redis.key("snapshots"), session)
        if stored is None:
            return None
        number, _, text = stored.partition(b" ")
        try:
            return SessionSnapshot(session, int(number), read_body(text))
        except _NO_JSON as problem:
            raise UnreadableSnapshotError(session, f"its body is no JSON, {problem}") from None

    def saved_names(self) -> list[str]:
        """Return the names of the sessions that have a snapshot."""
        with self._redis.asking() as client:
            return [name.decode() for name in client.hkeys(self._redis.key("snapshots"))]

    def forget(self, session: str) -> None:
        """Do nothing: what belongs to a session is on the server."""

    def rate_windows(self, window_s: int, *, is_exact: bool) -> Windows:
        """Return the rate windows of all replicas."""
        kind = SharedWindows if is_exact else LaggingWindows
        made = kind(self._redis, window_s)
        self._windows.append(made)
        return made

    def close(self) -> None:
        """Return the lease and close the connections."""
        for windows in self._windows:
            windows.close()
        self._lease.close()
        self._redis.close()

    def _learn(self, history: str, number: int) -> None:
        """Take note of the newest event that the server has."""
        with self._lock:
            if history == self.history:
                self.newest = max(self.newest, number)
                return
            is_first, lost = not self.history, self.newest
            self.newest, self.history = number, history
        if not is_first:
            LOG.error(
                "Redis at %s has lost events: %d are left of %d. Sessions go on from what is left. "
                "Start Redis with appendonly yes.",
                self._redis.url,
                number,
                lost,
            )
            for name, value in self._once.items():
                self.set_once(name, value)


def _event_of(name: bytes, members: dict[bytes, bytes]) -> Event:
    number = int(name.partition(b"-")[0])
    session, kind = members[b"session"].decode(), members[b"kind"].decode()
    try:
        body = read_body(members[b"body"])
    except _NO_JSON as problem:
        raise UnreadableEventError(number, kind, f"its body is no JSON, {problem}") from None
    return Event(number, session, kind, body)
