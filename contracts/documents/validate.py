"""Validate documents: recognize their kind and apply every rule that can be tested on it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from deadringer.contracts.envelopes import in_documented_names, members, rows_of
from deadringer.contracts.exchanges import MISSING, Exchange
from deadringer.contracts.input_files import LARGEST_DOCUMENT
from deadringer.contracts.json_types import Json, JsonObject
from deadringer.contracts.rules import (
    RULES,
    Context,
    Group,
    Rule,
    Scope,
    apply_rules,
    unexplained,
    validate_execution,
)
from deadringer.contracts.traffic import Series, Subject, document_subjects, response_subjects
from deadringer.contracts.validation import validate
from deadringer.contracts.violations import Violation, pointer_to

from .entry_counts import EntryCounts
from .har import HarRecording, is_har
from .read import KINDS, Lines, Progress, Read, UnreadableError, read_documents

_FOR_ANY_RESPONSE = ("answers_are_json", "success_goes_with_the_status")


@dataclass(frozen=True, slots=True)
class ValidatedDocument:
    """One document with its violations; `line` is its line in an NDJSON stream.

    `recording` is there if the document is a HAR recording.
    """

    line: int | None
    violations: tuple[Violation, ...]
    recording: EntryCounts | None = None


def validate_stream(
    name: str,
    stream: Lines,
    *,
    context: Context | None = None,
    rules: tuple[Rule, ...] = RULES,
    progress: Progress = lambda _count: None,
    largest: int = LARGEST_DOCUMENT,
) -> Iterator[ValidatedDocument | UnreadableError]:
    """Yield every document of a stream with its violations; each array element is one document.

    Input that is not JSON or not recognized is yielded as an UnreadableError in its place. No
    document may have more than `largest` bytes.

    Raises:
        UnreadableError: if a document is larger.
    """
    reads = read_documents(name, stream, progress, largest=largest)
    yield from validate_reads(name, reads, context or Context(), rules)


def validate_reads(
    name: str, reads: Iterable[Read | UnreadableError], context: Context, rules: tuple[Rule, ...]
) -> Iterator[ValidatedDocument | UnreadableError]:
    """Yield every document that was read with its violations, as `validate_stream` does."""
    validator = _Validator(name, context, rules)
    for read in reads:
        if isinstance(read, UnreadableError):
            yield read
            continue
        document = read.text.value
        elements = document if isinstance(document, list) else [document]
        if not elements:
            place = f"{name}:{read.line}" if read.line else name
            yield UnreadableError(f"{place}: an empty array: there is nothing to validate.")
        for index, element in enumerate(elements):
            below = pointer_to(index) if isinstance(document, list) else ""
            try:
                found = validator.validate(element, f":{read.line}" if read.line else "", below)
            except UnreadableError as error:
                yield error
                continue
            repeated = [one[len(below) :] for one in read.text.repeated if _is_in(one, below)]
            found += validator.text(element, repeated)
            moved = tuple(one.moved_below(below) for one in found)
            counts = validator.counts if is_har(element) else None
            yield ValidatedDocument(read.line, moved, counts)


def _is_in(pointer: str, holder: str) -> bool:
    return pointer.startswith(f"{holder}/")


def validate_exchange(exchange: Exchange) -> list[Violation]:
    """Return the violations of one response, without earlier requests."""
    return _Validator("exchange", Context(), RULES).exchange(exchange)


def validate_response(exchange: Exchange, *, context: Context | None = None) -> list[Violation]:
    """Return the violations of one response to a request of any path.

    The response of an operation is validated with all its rules. For any other path, such as a
    proxy of the API, the rules about HTTP and about the document apply.

    Raises:
        UnreadableError: if the body of such a response is not a recognized document.
    """
    validator = _Validator("the response", context or Context(), RULES)
    found = validator.exchange(exchange)
    if exchange.operation_id is None:
        found += validator.other_response(exchange)
    return found


def validate_document(
    document: Json, *, context: Context | None = None, operation_id: str | None = None
) -> list[Violation]:
    """Return the violations of a document, or of each element of an array.

    `operation_id` names the operation that returned it, if the document alone does not show it.

    Raises:
        UnreadableError: if it is not a recognized document.
    """
    validator = _Validator("the document", context or Context(), RULES)
    if operation_id is not None:
        subjects = document_subjects(operation_id, document, validator.context)
        found = [one for subject in subjects for one in validator.test(subject)]
        return found + validator.text(document, ())
    return validator.document(document) + validator.text(document, ())


class _Validator:
    def __init__(self, name: str, context: Context, rules: tuple[Rule, ...]) -> None:
        self._name = name
        self.context = context
        self._rules = rules
        # These two are looked up for every document.
        self._execution_rules = tuple(rule for rule in rules if rule.scope is Scope.EXECUTION)
        self._text_rules = tuple(rule for rule in rules if rule.scope is Scope.TEXT)
        self._has_schema_rule = any(rule.name == "schema" for rule in rules)
        self.counts: EntryCounts | None = None
        """The entries of the last recording."""

    def validate(self, document: Json, line: str, below: str) -> list[Violation]:
        if is_har(document):
            return self._har(document, f"{self._name}{line}: {below or '/'}")
        if isinstance(document, dict):
            found = self._object(document)
            if found is not None:
                return found
        raise UnreadableError(
            f"{self._name}{line}: {below or '/'}: unrecognized document. Pass {KINDS}."
        )

    def text(self, document: Json, repeated: Sequence[str]) -> list[Violation]:
        """Validate what only the text of a document shows: repeated members, unsafe numbers."""
        if is_har(document):  # a program wrote its numbers; the bodies in it are texts themselves
            return []
        context, rules = self.context, self._text_rules
        return apply_rules(Scope.TEXT, document, repeated, context=context, rules=rules)

    def document(self, document: Json) -> list[Violation]:
        """Validate a document, or each element of an array."""
        if not isinstance(document, list):
            return self.validate(document, "", "")
        return [
            violation.moved_below(pointer_to(index))
            for index, element in enumerate(document)
            for violation in self.validate(element, "", pointer_to(index))
        ]

    def _object(self, document: JsonObject) -> list[Violation] | None:
        if "steps" in document and "run_id" in document and "halted_at" not in document:
            return self._execution(document)
        if "executions" in document or "pagination" in document:
            return self._page(document, "")
        if isinstance(document.get("workflow"), dict):
            return self._shape(document, "workflow")
        if document.get("success") is False or _is_bare_error(document):
            return self._shape(document, _error_schema(document))
        data = document.get("data")
        if "success" not in document and "data" not in document:
            return None
        if isinstance(data, dict) and rows_of(data) and "run_id" in rows_of(data)[0]:
            return self._page(data, "/data")
        if isinstance(data, dict) and ("executions" in data or "pagination" in data):
            return self._page(data, "/data")
        if isinstance(data, dict) and {"steps", "run_id"} & data.keys():
            return self._envelope(document, data)
        if isinstance(data, dict) and isinstance(data.get("workflow"), dict):
            return self._shape(document, "workflow_envelope")
        return self._shape(document, "execution_envelope")

    def _execution(self, execution: JsonObject) -> list[Violation]:
        found = validate_execution(execution, self.context, self._execution_rules)
        return [one for one in found if one.rule != "schema" or self._has_schema_rule]

    def _envelope(self, document: JsonObject, data: JsonObject) -> list[Violation]:
        outer = [
            one
            for one in self._shape(document, "execution_envelope")
            if not one.pointer.startswith("/data/") and one.pointer != "/data"
        ]
        return outer + [one.moved_below("/data") for one in self._execution(data)]

    def _page(self, data: JsonObject, below: str) -> list[Violation]:
        renamed = in_documented_names({"data": data})["data"]
        found = [*self._shape(renamed, "execution_list")]
        pagination = members(renamed.get("pagination"))
        query = {
            name: str(pagination[name]) for name in ("page", "page_size") if name in pagination
        }
        found += apply_rules(Scope.LIST_PAGE, data, query, context=self.context, rules=self._rules)
        return [one.moved_below(below) for one in found]

    def _shape(self, document: Json, schema: str) -> list[Violation]:
        if not self._has_schema_rule:
            return []
        return list(validate(document, schema, strict=self.context.settings.strict))

    def _har(self, har: JsonObject, place: str) -> list[Violation]:
        recording = HarRecording(har)
        without_key = self._without_key_rules()
        series = defaultdict[str, Series](lambda: self._series(recording))
        found: list[Violation] = []
        validated = without_body = 0
        for number, server, exchange in recording:
            # Exporters remove credentials: without any key, a missing key is no violation.
            validator = self if server in recording.servers_with_key else without_key
            below = pointer_to("log", "entries", number)
            for subject in series[server].subjects(exchange):
                found += [one.moved_below(below) for one in validator.test(subject)]
            validated += 1
            without_body += exchange.has_unknown_body
        self.counts = EntryCounts(recording.entries, validated, without_body, recording.skipped)
        if not validated:
            raise UnreadableError(
                f"{place}: the recording contains no request of the API with a response "
                f"({self.counts}). Record again while your client calls the API, and save all "
                "requests."
            )
        return found

    def _series(self, recording: HarRecording) -> Series:
        """Return the series of one server, in which no workflow is known that was written to."""
        series = Series(self.context)
        for method, path in recording.writes:
            series.note_write(method, path)
        return series

    def _without_key_rules(self) -> "_Validator":
        rules = tuple(rule for rule in self._rules if rule.group is not Group.AUTH)
        return _Validator(self._name, self.context, rules)

    def exchange(self, exchange: Exchange) -> list[Violation]:
        """Validate an exchange with the rules about HTTP and its body with its own rules."""
        subjects = response_subjects(exchange, self.context)
        return [one for subject in subjects for one in self.test(subject)]

    def other_response(self, exchange: Exchange) -> list[Violation]:
        """Validate a response of another server that should contain a response of the API."""
        rules = tuple(rule for rule in self._rules if rule.name in _FOR_ANY_RESPONSE)
        response = replace(exchange, operation_id="")
        found = apply_rules(Scope.EXCHANGE, response, context=self.context, rules=rules)
        if exchange.body is MISSING:
            return found
        # `exchange` has validated the text.
        return found + self.document(exchange.body)

    def test(self, subject: Subject) -> list[Violation]:
        """Validate what is tested in one exchange, or in a series of them."""
        document, parts, context, schema = subject
        found = [
            violation.moved_below(below)
            for scope, arguments, below in parts
            for violation in apply_rules(scope, *arguments, context=context, rules=self._rules)
        ]
        shape = self._shape(document, schema) if schema else []
        return [*unexplained(shape, found), *found]


def _error_schema(document: JsonObject) -> str:
    """Return the schema of an error of unknown status: the common one or an older one."""
    is_older = "success" in document and isinstance(document.get("error"), str)
    return "error_rate_limited" if is_older else "error_unauthorized"


def _is_bare_error(document: JsonObject) -> bool:
    return "data" not in document and isinstance(document.get("error"), str)
