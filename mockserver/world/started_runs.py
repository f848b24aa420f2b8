"""Started runs: how each stands, by the clock or by hand, and all those of a session."""

import sys
import threading
from array import array
from base64 import b64decode, b64encode
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from itertools import product
from typing import TYPE_CHECKING

from deadringer import fixtures
from deadringer.contracts import JsonObject, exact_json_bytes, format_timestamp
from deadringer.mockserver.state.clock import milliseconds_of

if TYPE_CHECKING:
    from deadringer.fixtures import RunPlan

PlanMaker = Callable[[JsonObject], "RunPlan"]
"""Makes the plan of a run from the body of its `started` event."""
MOST_PLANS = 1024
"""How many plans are in memory; one that is not is made again when it is needed."""

DRIVES = ("time", "immediate", "read", "manual")
"""What moves a started run: the clock, nothing (it is over at once), each read, or a command."""
_FIRST_MS = -62_135_596_800_000  # the year 1
_NEVER_MS = 253_402_300_799_999  # beyond the last time that can be written
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class StartedRun:
    """A run that was started: what is needed to plan it, and how far it was moved by hand.

    `started_at` is in ms since 1970; `shared` is what else the body of its event holds, and must
    not be changed: equal runs have it in common.
    """

    run_id: str
    started_at: int
    shared: JsonObject
    transitions: int
    plans: "SessionPlans"

    @property
    def body(self) -> JsonObject:
        """The body of its event."""
        return {**self.shared, "run_id": self.run_id, "started_at": _text_of(self.started_at)}

    @property
    def workflow_id(self) -> str:
        """The id of its workflow."""
        return str(self.shared["workflow_id"])

    @property
    def drive(self) -> str:
        """What moves it, one of `DRIVES`."""
        return str(self.shared.get("drive", "time"))

    @property
    def price(self) -> float:
        """What it cost, in credits."""
        price: float = self.shared["price"]
        return price

    @property
    def plan(self) -> "RunPlan":
        """All that will happen in the run."""
        return self.plans.plan(self.body)


class PlanCache:
    """The plans that were used last, of all sessions: at most `most`."""

    def __init__(self, most: int = MOST_PLANS) -> None:
        self._most = most
        self._plans: OrderedDict[tuple[SessionPlans, str], RunPlan] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._plans)

    def get(self, session: "SessionPlans", run_id: str) -> "RunPlan | None":
        """Return the plan of a run, None if it is not in memory."""
        with self._lock:
            plan = self._plans.get((session, run_id))
            if plan is not None:
                self._plans.move_to_end((session, run_id))
        return plan

    def put(self, session: "SessionPlans", run_id: str, plan: "RunPlan") -> None:
        """Hold the plan of a run."""
        with self._lock:
            self._plans[session, run_id] = plan
            if len(self._plans) > self._most:
                self._plans.popitem(last=False)


class SessionPlans:
    """The plans of one session's runs, made when they are needed."""

    def __init__(self, make: PlanMaker, cache: PlanCache) -> None:
        self._make = make
        self._cache = cache

    def plan(self, body: JsonObject) -> "RunPlan":
        """Return the plan of a run from the body of its `started` event."""
        plan = self._cache.get(self, body["run_id"])
        if plan is None:
            plan = self._make(body)
            self.put(body["run_id"], plan)
        return plan

    def put(self, run_id: str, plan: "RunPlan") -> None:
        """Hold a plan that was made already."""
        self._cache.put(self, run_id, plan)


class StartedRuns(Mapping[str, StartedRun]):
    """The started runs of a session by id, in the order in which they were started.

    They are held as columns, some 150 bytes a run, and a `StartedRun` is made when it is read:
    there may be very many. Several threads may read while one adds.
    """

    def __init__(self, plans: SessionPlans) -> None:
        self._plans = plans
        self._lock = threading.Lock()
        self._ids: list[str] = []
        self._places: dict[str, int] = {}
        self._started_at = array("q")
        self._kinds = array("I")
        self._shared = _Distinct()
        self._workflows = _Distinct()
        self._moved: dict[str, int] = {}
        self._counts: Counter[str] = Counter()
        self._spent: dict[str, float] = {}
        self._is_in_order = True

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._ids)

    def __iter__(self) -> Iterator[str]:
        """Yield the ids."""
        return iter(self._ids[:])

    def __contains__(self, run_id: object) -> bool:
        """Return whether there is a run of that id."""
        return run_id in self._places

    def __getitem__(self, run_id: str) -> StartedRun:
        """Return a run as it stands now; changing it changes nothing here."""
        place = self._places[run_id]
        shared = self._shared.values[self._kinds[place]]
        moved = self._moved.get(run_id, 0)
        return StartedRun(run_id, self._started_at[place], shared, moved, self._plans)

    def add(self, body: JsonObject) -> None:
        """Add the run of a `started` event's body; another one of the same id is replaced.

        Raises:
            KeyError: if the body lacks a member.
            ValueError: if `started_at` is no time with a zone.
        """
        shared = {**body}
        run_id, written = shared.pop("run_id"), shared.pop("started_at")
        moment = datetime.fromisoformat(written)
        if moment.tzinfo is None:
            raise ValueError(f"{written!r} has no zone")
        price, workflow_id = shared["price"], shared["workflow_id"]
        started_at = milliseconds_of(moment)
        with self._lock:
            kind = self._shared.place(shared)
            if shared is self._shared.values[kind]:  # no equal one was there
                shared["workflow"] = self._workflows.same(shared["workflow"])
            if run_id in self._places:
                self._replace(self._places[run_id], kind, started_at)
            else:
                if self._started_at and started_at < self._started_at[-1]:
                    self._is_in_order = False
                self._kinds.append(kind)
                self._started_at.append(started_at)
                self._places[run_id] = len(self._ids)
                self._ids.append(run_id)
            self._counts[workflow_id] += 1
            month = _month_of(moment)
            self._spent[month] = self._spent.get(month, 0) + price

    def _replace(self, place: int, kind: int, started_at: int) -> None:
        old = self._shared.values[self._kinds[place]]
        self._counts[old["workflow_id"]] -= 1
        self._spent[_month_of(_moment_of(self._started_at[place]))] -= old["price"]
        self._moved.pop(self._ids[place], None)
        self._kinds[place], self._started_at[place] = kind, started_at
        self._is_in_order = False

    def move(self, run_id: str, transitions: int) -> None:
        """Move a run by so many transitions, if there is such a run."""
        if run_id in self._places:
            self._moved[run_id] = self._moved.get(run_id, 0) + transitions

    def spent_in(self, month: datetime) -> float:
        """Return the credits that the runs cost which were started in the month of a time."""
        return self._spent.get(_month_of(month), 0)

    def of_workflow(self, workflow_id: str) -> tuple[int, Iterator[tuple[int, str]]]:
        """Return how many runs a workflow has, and their start (ms since 1970) and id.

        The newest is first; of two that started at once, the one that was added later.
        """
        with self._lock:
            count, size = self._counts[workflow_id], len(self._ids)
        return count, self._newest_first(workflow_id, size) if count else iter(())

    def _newest_first(self, workflow_id: str, size: int) -> Iterator[tuple[int, str]]:
        started_at, kinds, shared = self._started_at, self._kinds, self._shared.values
        places: range | list[int] = range(size - 1, -1, -1)
        if not self._is_in_order:
            places = sorted(places, key=lambda place: -started_at[place])
        for place in places:
            if shared[kinds[place]]["workflow_id"] == workflow_id:
                yield started_at[place], self._ids[place]

    def as_json(self) -> JsonObject:
        """Return what it takes to make them again: columns, and what runs share only once."""
        with self._lock:
            workflows = self._workflows.values
            by_identity = {id(one): place for place, one in enumerate(workflows)}
            return {
                "workflows": workflows[:],
                "shared": [
                    [{**one, "workflow": None}, by_identity[id(one["workflow"])]]
                    for one in self._shared.values
                ],
                "run_ids": self._ids[:],
                "started_at": _packed(self._started_at),
                "kinds": _packed(self._kinds),
                "moved": {**self._moved},
                "counts": {**self._counts},
                "spent": {**self._spent},
                "is_in_order": self._is_in_order,
            }

    def restore(self, body: JsonObject, world: str) -> list[JsonObject]:
        """Take the runs that `as_json` returned, if all were planned in this world.

        Otherwise return the bodies of their events, to be planned anew; `move` follows.

        Raises:
            ValueError, KeyError or TypeError: if the columns do not fit together.
        """
        started_at, kinds = _unpacked("q", body["started_at"]), _unpacked("I", body["kinds"])
        workflows = body["workflows"]
        every = [
            {**one, "workflow": workflows[_place(place, workflows)]}
            for one, place in body["shared"]
        ]
        _require_types(every)
        _require_fitting(body, every, started_at, kinds)
        if all(one["world"] == world for one in every):
            for workflow in workflows:
                self._workflows.place(workflow)
            for one in every:
                self._shared.place(one)
            self._ids = body["run_ids"]
            self._places = dict(zip(self._ids, range(len(self._ids)), strict=True))
            self._started_at = started_at
            self._kinds = kinds
            self._moved, self._spent = body["moved"], body["spent"]
            self._counts, self._is_in_order = Counter(body["counts"]), body["is_in_order"]
            return []
        columns = zip(body["run_ids"], started_at, kinds, strict=True)
        return [
            {**every[kind], "run_id": run_id, "started_at": _text_of(started_at)}
            for run_id, started_at, kind in columns
        ]


def _place(place: int, values: list[JsonObject]) -> int:
    if not 0 <= place < len(values):
        raise ValueError(f"there is no workflow {place}")
    return place


def _require_types(every: list[JsonObject]) -> None:
    types = {"world": str, "workflow_id": str, "price": int | float, "workflow": dict}
    for one, name in product(every, types):
        if not isinstance(one[name], types[name]):
            raise TypeError(f"the {name} of a started run is {type(one[name]).__name__}")


def _require_fitting(
    body: JsonObject, every: list[JsonObject], started_at: "array[int]", kinds: "array[int]"
) -> None:
    """Raise ValueError or TypeError unless the columns of `as_json` fit together.

    This costs little even for very many runs: no run is looked at in Python.
    """
    run_ids, moved, spent = body["run_ids"], body["moved"], body["spent"]
    if not len(run_ids) == len(started_at) == len(kinds):
        lengths = f"{len(run_ids)} run_ids, {len(started_at)} started_at and {len(kinds)} kinds"
        raise ValueError(f"the columns of started runs differ in length: {lengths}")
    if set(map(type, run_ids)) - {str} or len(set(run_ids)) < len(run_ids):
        raise ValueError("the run_ids of started runs are no different texts")
    if kinds and max(kinds) >= len(every):
        raise ValueError(f"a started run is of kind {max(kinds)}, there are {len(every)}")
    if started_at and not _FIRST_MS <= min(started_at) <= max(started_at) <= _NEVER_MS:
        raise ValueError("a run started at no time that has a date")
    counts = Counter[str]()
    for kind, count in Counter(kinds).items():
        counts[every[kind]["workflow_id"]] += count
    if counts != Counter(body["counts"]):
        raise ValueError("the counts of started runs are not those of its columns")
    if set(map(type, moved.values())) - {int} or set(map(type, spent.values())) - {int, float}:
        raise ValueError("the moved or spent of started runs is no number")
    if not isinstance(body["is_in_order"], bool):
        raise TypeError("is_in_order of started runs is no boolean")


class _Distinct:
    """Objects by their content: of equal ones the first is held."""

    def __init__(self) -> None:
        self.values: list[JsonObject] = []
        self._places: dict[bytes, int] = {}

    def place(self, value: JsonObject) -> int:
        """Return the index of an object, which is added if there is none that equals it."""
        digest = blake2b(exact_json_bytes(value), digest_size=16).digest()
        place = self._places.setdefault(digest, len(self.values))
        if place == len(self.values):
            self.values.append(value)
        return place

    def same(self, value: JsonObject) -> JsonObject:
        """Return the object that is held in place of one that equals it."""
        return self.values[self.place(value)]


def _packed(column: "array[int]") -> str:
    """Return a column as text, much faster to read than numbers; the low byte is first."""
    if sys.byteorder == "big":
        column = column[:]
        column.byteswap()
    return b64encode(column.tobytes()).decode()


def _unpacked(kind: str, text: str) -> "array[int]":
    column = array(kind)
    column.frombytes(b64decode(text, validate=True))
    if sys.byteorder == "big":
        column.byteswap()
    return column


def _moment_of(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)


def _text_of(milliseconds: int) -> str:
    return format_timestamp(_moment_of(milliseconds))


def _month_of(moment: datetime) -> str:
    return format_timestamp(moment)[:7]


def transitions_of(plan: "RunPlan") -> list[int]:
    """Return the times (ms since 1970) at which the run visibly changes, in order."""
    moments = {plan.started_at, plan.ended_at}
    for step in plan.steps:
        moments |= {step.queued_at, step.started_at, step.ended_at}
    return sorted(moment for moment in moments if plan.started_at <= moment <= _NEVER_MS)


def moment_of(run: StartedRun, now_ms: int) -> int:
    """Return the time at which to show a run: now, or where its driver has advanced it."""
    if run.drive == "time":
        return now_ms
    moments = transitions_of(run.plan)
    if run.drive == "immediate":
        return moments[-1]
    return moments[min(run.transitions, len(moments) - 1)]


def started_execution(run: StartedRun, now_ms: int) -> JsonObject:
    """Return a started run as it is now; before its start it lists no step."""
    moment = max(moment_of(run, now_ms), run.started_at)
    execution: JsonObject = fixtures.view_run(run.plan, moment)
    return execution
