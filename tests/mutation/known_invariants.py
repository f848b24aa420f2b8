"""Why each inferred invariant may be there: a rule or the schema has it, or it is no rule.

A row is a kind of document, a pattern of invariants (`*` is any text), and a verdict: `rule NAME`,
`schema KEYWORD`, or `refused`, with the reason. The first row that fits an invariant explains it.
"""

from fnmatch import fnmatchcase
from typing import NamedTuple

from deadringer.contracts.rules import RULES

RULE_NAMES = {rule.name for rule in RULES}


class KnownInvariant(NamedTuple):
    """One row; several kinds are joined by `|`."""

    kind: str
    pattern: str
    verdict: str

    def explains(self, kind: str, invariant: str) -> bool:
        """Return whether the row is about this invariant of this kind of document."""
        fits = self.kind == "*" or kind in self.kind.split("|")
        return fits and fnmatchcase(invariant, self.pattern)


def explanation_of(kind: str, invariant: str) -> KnownInvariant | None:
    """Return the first row about an invariant, or None."""
    return next((row for row in KNOWN if row.explains(kind, invariant)), None)


WORDING = "refused: the text is the server's own; `message_is_a_text` asks only for a text"
OPTIONAL = "refused: optional, and other servers leave it out"
OPAQUE = "refused: identifiers are opaque, of any form"
FREE = "refused: free content of a server, which the contract does not describe"
TEMPLATES = "refused: an accident of the templates that this world is made from"
BLANK_TEXT = "refused: a description for people may be blank"
SAMPLE = "refused: an accident of size: counts are no durations"
EARLY = "refused: here the row is created first; it may also come some seconds after the start"
UTC = "rule timestamps_have_the_documented_form"

KNOWN = tuple(
    KnownInvariant(*row)
    for row in (
        # every envelope
        ("*", "message is always *", WORDING),
        ("*", "success is always there", "schema required"),
        ("*", "success is always True", "rule success_goes_with_the_status"),
        # a page of workflows
        ("workflow page", "data.has_more is always there", "schema required"),
        ("workflow page", "data.total is always there", "schema required"),
        ("workflow page", "data.total is an integer", "schema type"),
        ("workflow page", "len(data.items) is always there", "schema required"),
        ("workflow page", "len(data.items) <= data.total", "rule workflow_pages_stay_in_the_total"),
        ("workflow page", "len(data.items) <= query.limit", "rule workflow_pages_keep_the_limit"),
        # a workflow
        ("workflow", "data.id == path.id", "refused: documented of runs only"),
        ("workflow", "data.execution_count is always there", OPTIONAL),
        ("workflow", "data.execution_count is an integer", "schema type"),
        ("workflow", "data.execution_count >= 0", "schema minimum"),
        ("workflow", "data.workflow.trigger.* is always there", "refused: a draft has none"),
        ("workflow", "data.workflow.trigger.kind is one of *", TEMPLATES),
        ("workflow", "len(data.workflow.*) is always there", "schema required"),
        ("workflow", "len(data.workflow.*) >= 1", "refused: a draft may be empty"),
        ("workflow", "len(data.workflow.actions) <= len(data.workflow.edges)", TEMPLATES),
        ("workflow", "data.id is a word", OPAQUE),
        ("workflow", "data.name is not blank", BLANK_TEXT),
        ("workflow", "data.description is not blank", BLANK_TEXT),
        (
            "workflow",
            "data.status is one of DRAFT, PUBLISHED",
            "refused: documented of the filter only",
        ),
        ("workflow", "data.created <= data.updated", "refused: no sentence orders the two"),
        ("workflow", "data.* is a time *", "refused: schema format admits every ISO 8601 time"),
        ("workflow", "data.* is always there", "schema required"),
        # credits
        ("balance", "data.balance is always there", "schema required"),
        ("balance", "data.balance is always 4250", "refused: the balance of this account"),
        ("balance", "data.* is always there", OPTIONAL),
        ("balance", "data.next_reset is one of *", "refused: the months of this sample"),
        ("balance", "data.subscription_plan is always 'PRO'", "refused: the plan of this account"),
        # a page of runs
        ("run page", "data.pagination.page == query.page", "rule page_arithmetic_holds"),
        ("run page", "data.pagination.page_size == query.page_size", "rule page_arithmetic_holds"),
        ("run page", "data.pagination.* is always there", "schema required"),
        ("run page", "data.pagination.* is an integer", "schema type"),
        ("run page", "data.pagination.* >= *", "schema minimum"),
        ("run page", "data.pagination.total_pages <= *.total_count", "rule page_arithmetic_holds"),
        ("run page", "len(data.executions) is always there", "schema required"),
        ("run page", "len(data.executions) <= *", "rule page_arithmetic_holds"),
        # a run
        ("run", "data.workflow_id == path.id", "rule detail_is_of_the_run_asked_for"),
        ("run", "data.run_id == path.runId", "rule detail_is_of_the_run_asked_for"),
        ("run", "data.duration_ms == span(data.ended_at)", "rule duration_is_end_minus_start"),
        ("run", "data.duration_ms is an integer", "schema type"),
        ("run", "data.duration_ms >= 0", "rule duration_is_not_negative"),
        ("run", "data.duration_ms is there iff *", "rule finished_run_has_an_end"),
        ("run", "data.ended_at is there iff *", "rule finished_run_has_an_end"),
        ("run", "data.error is there iff data.status is failed", "rule failed_run_says_why"),
        ("run", "data.error is not blank", "rule failed_run_says_why"),
        ("run", "data.started_at <= data.ended_at", "rule end_is_not_before_start"),
        ("run", "data.status is one of completed, failed, running", "schema enum"),
        ("run", "data.event_name is one of *", "rule event_name_is_the_trigger_kind"),
        ("run", "data.*id is a word", OPAQUE),
        ("run", "data.* is a time *", UTC),
        ("run", "data.* is always there", "schema required"),
        ("run", "len(data.steps) is always there", "schema required"),
        ("run", "len(data.column_config) is null if data.event_name is *", TEMPLATES),
        ("run", "len(data.column_config) <= data.duration_ms", SAMPLE),
        ("run", "span(data.created) <= len(data.column_config)", SAMPLE),
        ("run", "*data.created* <= data.*", EARLY),
        # the variables of a run
        ("variables", "run.* == variables.*", "rule variables_are_of_the_run"),
        # a step, beside its run
        ("step", "span(step.ended_at) == step.duration_ms", "rule duration_is_end_minus_start"),
        ("step", "step.started_at <= step.ended_at", "rule end_is_not_before_start"),
        ("step", "step.* is a time *", UTC),
        ("step", "step.status is one of *", "schema enum"),
        ("step", "step.* is always there", "schema required"),
        ("step", "step.operation is a word", "rule operations_are_in_the_catalogue"),
        ("step", "step.step_id is a word", OPAQUE),
        ("step", "step.step_name is not blank", "rule steps_carry_kind_and_name_of_their_action"),
        ("step", "step.step_name is there if run.event_name is *", TEMPLATES),
        ("step", "step.ended_at is there iff *", "rule ended_step_has_an_end"),
        ("step", "step.output is there iff *", "rule unfinished_step_has_no_output"),
        (
            "step",
            "step.error is null if step.status is *",
            "rule step_that_did_not_fail_has_no_error",
        ),
        (
            "step",
            "step.error is null if run.status is *",
            "rule completed_run_has_only_finished_steps",
        ),
        ("step", "step.error is not blank", "rule failed_step_says_why"),
        ("step", "step.error.*", FREE),
        ("step", "step.iteration is an integer", "rule iterations_can_be_told_apart"),
        ("step", "step.iteration >= 0", "rule iterations_can_be_told_apart"),
        ("step", "step.total_items *1", "rule iterations_can_be_told_apart"),
        (
            "step",
            "step.total_items is an integer",
            "refused: only its count of iterations is known",
        ),
        ("step", "step.iteration <= step.total_items", "rule iterations_can_be_told_apart"),
        (
            "step",
            "step.iteration is there iff step.total_items is",
            "refused: `total_items` is optional",
        ),
        ("step", "step.iteration is null if run.event_name is *", TEMPLATES),
        ("step", "step.total_items is null if run.event_name is *", TEMPLATES),
        ("step", "step.mapped_output is null if run.event_name is *", TEMPLATES),
        (
            "step",
            "step.mapped_output is null if step.status is *",
            "rule unfinished_step_maps_nothing",
        ),
        ("step", "run.started_at <= step.*", "rule steps_lie_within_the_run"),
        ("step", "step.* <= run.ended_at", "rule steps_lie_within_the_run"),
        ("step", "span(step.ended_at) <= run.duration_ms", "rule steps_lie_within_the_run"),
        ("step", "run.* is null if step.status is *", "rule running_step_means_running_run"),
        (
            "step",
            "run.* is there if step.status is failed",
            "rule completed_run_has_only_finished_steps",
        ),
        ("step", "run.created <= step.ended_at", EARLY),
        ("step", "span(run.created) <= *", SAMPLE),
        ("step", "step.i* <= run.duration_ms", SAMPLE),
        ("step", "step.total_items <= *", SAMPLE),
        # a row of a list, beside the detail of its run
        ("row", "row.* == run.*", "rule rows_agree_with_the_detail"),
        ("row", "row.duration == span(row.completed_at)", "rule row_durations_fit"),
        ("row", "row.duration == span(run.ended_at)", "rule rows_agree_with_the_detail"),
        ("row", "row.started_at <= row.completed_at", "rule rows_end_after_they_start"),
        ("row", "row.* is a time *", UTC),
        ("row", "row.duration is an integer", "schema type"),
        ("row", "row.duration >= 0", "schema minimum"),
        ("row", "row.error is not blank", "rule failed_rows_say_why"),
        ("row", "row.error is there iff row.status is failed", "rule failed_rows_say_why"),
        ("row", "row.run_id is a word", OPAQUE),
        ("row", "row.status is one of *", "schema enum"),
        ("row", "row.* is always there", "schema required"),
        ("row", "*run.created* <= row.*", EARLY),
        # the catalogue
        ("catalogue", "data.total == len(data.items)", "rule catalogue_total_is_its_length"),
        ("catalogue", "data.total is always there", "schema required"),
        ("catalogue", "data.total is an integer", "schema type"),
        ("catalogue", "data.total >= 0", "schema minimum"),
        ("action", "creditCost >= 0", "schema minimum"),
        ("action", "creditCost is an integer", "refused: the schema admits parts of a credit"),
        ("action", "kind is not blank", "refused: no sentence has it, and a run could not use it"),
        ("action", "* is not blank", BLANK_TEXT),
        ("action", "category is a word", TEMPLATES),
        ("action", "kind is always there", "schema required"),
        ("action", "name is always there", "schema required"),
        ("action", "inputs is always there", "schema required"),
        ("action", "* is always there", OPTIONAL),
        # errors
        ("error", "success is always False", "rule success_goes_with_the_status"),
        ("error", "error.code is always there", "rule error_bodies_have_the_documented_shape"),
        ("error", "error.message is always there", "rule error_bodies_have_the_documented_shape"),
        ("error", "error.code is a word", "rule error_code_fits_status"),
        ("error", "error.message is not blank", "schema minLength"),
        ("error", "error.suggestion is *", OPTIONAL),
        (
            "error",
            "error.retryAfterSeconds is always 60",
            "refused: the clock of the sample stands",
        ),
    )
)
