"""What a recording holds: its HAR, and the documents that `serve --fixtures` can serve."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import NamedTuple, TypeAlias
from urllib.parse import urlsplit

from deadringer.contracts import (
    Exchange,
    Json,
    JsonError,
    JsonObject,
    Violation,
    exact_json_bytes,
    parse_json,
    pointer_to,
    read_json_text,
)
from deadringer.contracts.documents import har_document, har_entry
from deadringer.contracts.redaction import SHORTEST_KEY, SecretRedactor
from deadringer.fixtures import Sanitizer, execution_violations, workflow_violations

from .recording_folder import file_names
from .replay import REPLACED

EXECUTION, WORKFLOW = "execution", "workflow"
_Validate: TypeAlias = Callable[[Json], list[Violation]]
_KINDS: Mapping[str, tuple[str, _Validate]] = {
    EXECUTION: ("run_id", execution_violations),
    WORKFLOW: ("id", workflow_violations),
}
"""By kind, the member with its id, and what validates it."""
_SANITIZED_ORIGIN = "https://upstream.example"
"""In place of the real service, whose host name may be internal."""


class LeftOut(NamedTuple):
    """A document that `serve --fixtures` cannot serve, and the rules that it violates."""

    what: str
    rules: tuple[str, ...]


class RecordedContent:
    """Exchanges, and the last read of each run and workflow among them; for one thread."""

    def __init__(
        self, base_url: str, sanitizer: Sanitizer | None, secrets: Collection[str] = ()
    ) -> None:
        """Set the URL of the real service and what replaces values, None to leave them.

        `secrets` are hidden as the keys of clients are.
        """
        self._sanitizer = sanitizer
        self._secrets = secrets
        self._base_url = base_url.rstrip("/")
        if sanitizer is not None:
            sanitizer.learn({"hostname": urlsplit(base_url).hostname})
            self._base_url = _SANITIZED_ORIGIN + urlsplit(self._base_url).path
        self._keys: set[str] = set()
        self._redactor = SecretRedactor((), others=secrets)
        self._exchanges: list[Exchange] = []
        self._entries: list[JsonObject] = []
        self._executions: dict[tuple[str, str], Json] = {}
        self._workflows: dict[str, Json] = {}
        self._rules: dict[bytes, tuple[str, ...]] = {}

    @property
    def size(self) -> int:
        """The number of exchanges."""
        return len(self._exchanges)

    def add(self, exchanges: Iterable[Exchange]) -> None:
        """Add exchanges in the order of their ends."""
        new = list(exchanges)
        self._exchanges += new
        keys = {key for exchange in new for key in _keys_of(exchange)}
        if not keys <= self._keys:  # earlier bodies may contain a key that is first sent now
            self._keys |= keys
            self._redactor = SecretRedactor(self._keys, others=self._secrets)
            self._entries, self._executions, self._workflows = [], {}, {}
            new = self._exchanges
        for exchange in new:
            self._add(exchange)

    def _add(self, exchange: Exchange) -> None:
        entry = har_entry(exchange, self._base_url, self._redactor)
        self._entries.append(entry)
        if self._sanitizer is not None:
            self._sanitizer.learn(_archive([entry]))
        if exchange.method != "GET" or exchange.status != 200 or exchange.has_unknown_body:
            return
        ids = exchange.path_parameters
        data = self._redactor.json(_data_of(exchange.response_body))
        if exchange.operation_id == "getExecution":
            self._executions[ids["id"], ids["runId"]] = data
        elif exchange.operation_id == "getWorkflow":
            self._workflows[ids["id"]] = data
        elif exchange.operation_id == "listWorkflows":
            items = data.get("items") if isinstance(data, dict) else None
            for item in items if isinstance(items, list) else ():
                if isinstance(item, dict) and isinstance(item.get("id"), str):
                    self._workflows[item["id"]] = item

    def har(self) -> JsonObject:
        """Return all exchanges as one archive, by time."""
        entries = sorted(self._entries, key=lambda one: str(one["startedDateTime"]))
        if self._sanitizer is None:
            return har_document(entries)
        clean = self._sanitizer.sanitized(_archive(entries))["log"]["entries"]
        for raw, entry in zip(entries, clean, strict=True):
            _note_replaced(raw["request"], entry["request"])
        return har_document(clean)

    def documents(self) -> tuple[dict[str, Json], list[LeftOut]]:
        """Return the documents that can be served, by file name, and those that cannot."""
        left_out: list[LeftOut] = []
        executions = self._servable(EXECUTION, self._executions.values(), left_out)
        workflows = self._servable(WORKFLOW, self._workflows.values(), left_out)
        return executions | workflows, left_out

    def _servable(
        self, kind: str, documents: Iterable[Json], left_out: list[LeftOut]
    ) -> dict[str, Json]:
        """Return valid documents by file name; add the others, with their rules, to `left_out`."""
        id_member, violations_of = _KINDS[kind]
        by_id: dict[str, Json] = {}
        for document in map(self._clean, documents):
            rules = self._violated(document, violations_of)
            known = document.get(id_member) if isinstance(document, dict) else None
            if not rules and known in by_id:
                rules = ("its id is that of another workflow's run",)
            if rules:
                left_out.append(LeftOut(f"{kind} {known or 'without an id'}", rules))
            else:
                by_id[str(known)] = document
        names = file_names(kind, by_id)
        return {names[one]: document for one, document in by_id.items()}

    def _violated(self, document: Json, violations_of: _Validate) -> tuple[str, ...]:
        """Return the rules that a document violates, each once; most were validated before."""
        content = exact_json_bytes(document)
        rules = self._rules.get(content)
        if rules is None:
            rules = tuple(dict.fromkeys(one.rule for one in violations_of(document)))
            self._rules[content] = rules
        return rules

    def replacements(self) -> tuple[tuple[str, ...], int]:
        """Return what found the replaced values, and the number of places with free text."""
        if self._sanitizer is None:
            return (), 0
        found = dict.fromkeys(one.detector for one in self._sanitizer.findings)
        return tuple(found), len(self._sanitizer.left)

    def _clean(self, document: Json) -> Json:
        return document if self._sanitizer is None else self._sanitizer.sanitized(document)


def _archive(entries: list[JsonObject]) -> JsonObject:
    """Return what a sanitizer reads as HAR; the name of its creator is no person's."""
    return {"log": {"entries": entries}}


def _keys_of(exchange: Exchange) -> Iterator[str]:
    headers = exchange.request_headers
    for value in (headers.get("x-api-key", ""), headers.get("authorization", "")):
        key = value.rpartition(" ")[2]
        if len(key) >= SHORTEST_KEY:
            yield key


def _data_of(body: bytes) -> Json:
    """Return the `data` of a body, None where a file could not hold it as it was."""
    try:
        read = read_json_text(body, exact=True)
    except JsonError:
        return None
    if read.repeated or not isinstance(read.value, dict):
        return None
    return read.value.get("data")


def _note_replaced(raw: JsonObject, clean: JsonObject) -> None:
    """Note at a sanitized body which of its texts were replaced, so that a replay accepts any."""
    if "postData" not in raw:
        return
    try:
        before, after = (parse_json(one["postData"]["text"]).value for one in (raw, clean))
    except JsonError:  # such as a number beyond a double, which the replay cannot read either
        return
    pointers = sorted(_replaced(before, after, ""))
    if pointers:
        clean["postData"][REPLACED] = pointers


def _replaced(before: Json, after: Json, at: str) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in before.keys() & after.keys():
            yield from _replaced(before[name], after[name], at + pointer_to(name))
    elif isinstance(before, list) and isinstance(after, list):
        for index, (one, other) in enumerate(zip(before, after, strict=False)):
            yield from _replaced(one, other, f"{at}/{index}")
    elif isinstance(before, str) and before != after:
        yield at
