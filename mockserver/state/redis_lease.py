"""The lease of a replica: until it ends, no change is acknowledged that the replica does not know.

Reads then need no question to Redis. A writer waits until every replica with a lease knows the
number of its event; a replica that is stopped or cut off is waited for until its lease ends. The
replica itself stops relying on the lease a little earlier, by its own monotonic clock.

If Redis was away (killed, stopped, or its clock was moved), leases may have ended by its clock
alone. So for a while after it is back, writers also wait for replicas whose lease has ended. A
replica that finds no server running, often enough not to miss one that runs so long, therefore
still knows every acknowledged change.
"""

import logging
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from redis.exceptions import RedisError

from deadringer.mockserver.errors import ApiError

from .events import StateUnreachableError
from .redis_connection import RedisConnection

LOG = logging.getLogger("deadringer")
LEASE_S = 2.0
"""How long a lease is, and how long writers wait for ended ones after Redis was away."""
_RELIED_ON = 0.8
"""The part of that time that a replica relies on; the rest is for clocks that differ in speed."""
_RENEW_S = 0.2
_RETRY_S = 0.1
_FIRST_POLL_S, _LONGEST_POLL_S = 0.0002, 0.005
_GIVE_UP_S = 3 * LEASE_S
_EVERY = 2**53
"""A number beyond that of any event: no replica knows it."""

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function note_time(about)
    local seen = tonumber(redis.call('HGET', about, 'seen') or 0)
    if now - seen > 500 then redis.call('HSET', about, 'grace', now + 2000) end
    redis.call('HSET', about, 'seen', now)
    return tonumber(redis.call('HGET', about, 'grace'))
end
""".replace("2000", str(round(1000 * LEASE_S)))
"""Lua: the time, and until when replicas are waited for whose lease has ended (ms since 1970).

Replicas renew every 200 ms; if none did for 500 ms, Redis was away.
"""
_RENEW = (
    _NOW
    + """
local about, replicas = unpack(KEYS)
local me, known, mine, fresh, lease = unpack(ARGV)
note_time(about)
local newest = tonumber(redis.call('HGET', about, 'newest') or 0)
local history = redis.call('HGET', about, 'history')
if not history or (history == mine and newest < tonumber(known)) then
    history = fresh
    redis.call('HSET', about, 'history', fresh)
end
local acked = history == mine and known or 0
redis.call('HSET', replicas, me, (now + lease) .. ' ' .. acked)
return {newest, history}
"""
)
"""Renew a lease; the history of numbers begins anew where events were lost."""
BEHIND = (
    _NOW
    + """
local function behind(about, replicas, me, number)
    local all, count, grace = redis.call('HGETALL', replicas), 0, note_time(about)
    for place = 1, #all, 2 do
        if all[place] ~= me then
            local ends, acked = string.match(all[place + 1], '(%d+) (%d+)')
            if tonumber(ends) <= now and grace <= now then
                redis.call('HDEL', replicas, all[place])
            elseif tonumber(acked) < number then
                count = count + 1
            end
        end
    end
    return count
end
"""
)
"""Lua: how many replicas with a lease, other than `me`, do not know an event."""
_COUNT_BEHIND = BEHIND + "return behind(KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2]))"
_AGREE = (
    BEHIND
    + """
local about, replicas = unpack(KEYS)
local me, world = unpack(ARGV)
local agreed = redis.call('HGET', about, 'world')
if not agreed or behind(about, replicas, me, math.huge) == 0 then
    redis.call('HSET', about, 'world', world)
    return world
end
return agreed
"""
)


class ReplicaLease:
    """The lease of this process, renewed by a thread that also waits for new events.

    `learn` is called with the history and the number of the newest event, whenever they are read.
    """

    def __init__(self, connection: RedisConnection, learn: Callable[[str, int], None]) -> None:
        self.replica = secrets.token_hex(8)
        self.apply: Callable[[], None] | None = None
        """Called by the thread when it has noted an event."""
        self._connection = connection
        self._learn = learn
        self._renew = connection.script(_RENEW, "about", "replicas")
        self._behind = connection.script(_COUNT_BEHIND, "about", "replicas")
        self._agree = connection.script(_AGREE, "about", "replicas")
        self._history, self._known = "", 0
        self._until = 0.0
        """Until when the lease is relied on (s, monotonic)."""
        self._is_cut_off = False
        self._contact = 0.0
        """When the last question began (s, monotonic)."""
        self._is_up_to_date = False
        """Whether every acknowledged event was known then, though no server ran."""
        self._is_noted = False
        """Whether the server has noted that this replica knows its newest event."""
        self._begun = 0
        self._failure: ApiError | None = None
        self._lock = threading.Lock()
        self._is_closed = False
        self._waiting = connection.dedicated()
        self._waiting_id = 0
        self._thread = threading.Thread(target=self._follow, name="follower", daemon=True)

    def start(self) -> None:
        """Take the lease and begin to follow.

        Raises:
            StateUnreachableError: if the server cannot be asked.
        """
        self.renew()
        self._thread.start()

    @property
    def is_valid(self) -> bool:
        """Whether every acknowledged event is known."""
        return time.monotonic() < self._until

    def renew(self) -> None:
        """Renew the lease by a question that begins after this call began; many callers share one.

        Raises:
            StateUnreachableError: if the server cannot be asked; the lease has ended then.
        """
        asked = self._begun
        with self._lock:
            if self._begun == asked:
                self._begun += 1
                self._failure = self._renewed()
            if self._failure is not None:
                raise self._failure

    def know(self, number: int) -> None:
        """Take note of an event that this replica wrote."""
        self._known = max(self._known, number)

    def wait_for_others(self, number: int) -> None:
        """Wait until all replicas with a lease know an event.

        Raises:
            StateUnreachableError: if that cannot be known; the event may become visible all the
                same.
        """
        began, pause = time.monotonic(), _FIRST_POLL_S
        while self._behind.run(self.replica, number):
            if time.monotonic() - began > _GIVE_UP_S:
                raise StateUnreachableError("a replica does not follow")
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_POLL_S)

    def count_others(self) -> int:
        """Return how many other replicas have a lease.

        Raises:
            StateUnreachableError: if the server cannot be asked.
        """
        others: int = self._behind.run(self.replica, _EVERY)
        return others

    def agreed_world(self, world: str) -> str:
        """Return the world of the replicas with a lease, which is `world` if there is no other.

        Raises:
            StateUnreachableError: if the server cannot be asked.
        """
        agreed: bytes = self._agree.run(self.replica, world)
        return agreed.decode()

    def close(self) -> None:
        """Return the lease, so that no writer waits for it."""
        self._is_closed = True
        with suppress(ApiError), self._connection.asking() as client:
            client.client_unblock(self._waiting_id)  # else the thread ends a little later
        if self._thread.is_alive():
            self._thread.join()
        self._waiting.disconnect()
        self._until = 0.0
        with suppress(ApiError), self._connection.asking() as client:  # else it ends by itself
            client.hdel(self._connection.key("replicas"), self.replica)

    def _renewed(self) -> ApiError | None:
        """Renew once; return what prevents it."""
        began, known, mine = time.monotonic(), self._known, self._history
        fresh, lease_ms = secrets.token_hex(8), round(LEASE_S * 1000)
        try:
            newest, history = self._renew.run_repeatable(self.replica, known, mine, fresh, lease_ms)
        except ApiError as problem:
            self._note_failure(problem, began)
            if not self._is_cut_off:
                LOG.warning("%s. Sessions that others may change are refused.", problem.message)
            self._until, self._is_cut_off = 0.0, True
            return problem
        if self._is_cut_off:
            LOG.warning("The shared state can be reached again.")
        self._is_cut_off = False
        self._is_noted = history.decode() == mine and newest <= known
        if history.decode() == mine:
            self.know(newest)
        else:
            self._history, self._known = history.decode(), newest
        self._learn(self._history, newest)
        self._until = began + _RELIED_ON * LEASE_S
        self._contact, self._is_up_to_date = began, True
        return None

    def _note_failure(self, problem: ApiError, began: float) -> None:
        """Note whether a change may have been acknowledged since the last question."""
        is_gone = isinstance(problem, StateUnreachableError) and problem.is_gone
        is_soon = time.monotonic() - self._contact < _RELIED_ON * LEASE_S
        self._is_up_to_date = self._is_up_to_date and is_gone and is_soon
        self._contact = began
        if isinstance(problem, StateUnreachableError):
            problem.is_up_to_date = self._is_up_to_date

    def _follow(self) -> None:
        while not self._is_closed:
            try:
                self.renew()
                if self._is_noted:
                    if self.apply is not None:
                        self.apply()
                    self._wait_for_event()
            except (ApiError, RedisError, OSError):
                self._waiting.disconnect()
                if not self._is_closed:
                    time.sleep(_RETRY_S)

    def _wait_for_event(self) -> None:
        """Return as soon as there is an event that is not known, at the latest in `_RENEW_S`."""
        events, last = self._connection.key("events"), f"{self._known}-0"
        wait_ms = round(_RENEW_S * 1000)
        waiting = self._waiting
        waiting.send_command("CLIENT", "ID")
        self._waiting_id = waiting.read_response()
        if not self._is_closed:
            waiting.send_command("XREAD", "COUNT", 1, "BLOCK", wait_ms, "STREAMS", events, last)
            waiting.read_response()  # what is new is read with the lease
