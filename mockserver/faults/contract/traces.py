"""Bugs in one execution: times, order, mapping, and the workflow's definition."""

from deadringer.contracts import JsonObject

from .model import ContractFault, move, moved, on_detail, on_runs, on_steps, put

Fault = ContractFault


def _in_seconds(run: JsonObject) -> None:
    run["duration_ms"] = int(run["duration_ms"] / 1000)


def _without_zone(run: JsonObject) -> None:
    run["started_at"] = run["started_at"].removesuffix("Z")


def _with_blank(run: JsonObject) -> None:
    run["created"] = run["created"].replace("T", " ")


def _swapped(run: JsonObject) -> None:
    if run["ended_at"] != run["started_at"]:
        run["started_at"], run["ended_at"] = run["ended_at"], run["started_at"]


def _step_before_run(run: JsonObject) -> None:
    for step in run["steps"][:1]:
        for name in ("started_at", "ended_at"):
            step[name] = moved(step[name], -3_600_000)


def _step_after_run(run: JsonObject) -> None:
    ended = [step for step in run["steps"] if step["ended_at"]]
    for step in ended[-1:]:
        for name in ("started_at", "ended_at"):
            step[name] = moved(step[name], 60_000)


def _reversed(run: JsonObject) -> None:
    run["steps"].reverse()


def _overlapping(run: JsonObject) -> None:
    for step in run["steps"][1:]:
        if step["status"] == "completed" and "iteration" not in step and step["duration_ms"] > 50:
            step["started_at"] = moved(step["started_at"], -150)
            step["duration_ms"] += 150


def _doubled(run: JsonObject) -> None:
    run["steps"] = [copy for step in run["steps"] for copy in (step, dict(step))]


def _stuck_iteration(step: JsonObject) -> None:
    if "iteration" in step:
        step["iteration"] = 0


def _wrong_total(step: JsonObject) -> None:
    if "total_items" in step:
        step["total_items"] = step["iteration"]


def _kind_as_name(step: JsonObject) -> None:
    step["step_name"] = step["operation"]


def _unresolved(step: JsonObject) -> None:
    for name, value in step["input"].items():
        if isinstance(value, str) and name in {"message", "body", "profile"}:
            step["input"][name] = "{{ !ref($.trigger.outputs.text) }}"


def _both_branches(step: JsonObject) -> None:
    step.update(status="completed", output={"result": {"ok": True}}, duration_ms=0)
    step["ended_at"] = step["started_at"]


def _same_column(run: JsonObject) -> None:
    for column in run["column_config"] or []:
        column["id"] = "col_1"


def _lost_column(run: JsonObject) -> None:
    for column in (run["column_config"] or [])[-1:]:
        column["stepId"] = "gone-1"
    if run["column_config"]:
        for step in run["steps"]:
            step["mapped_output"] = None


def _wrong_mapped(step: JsonObject) -> None:
    for name in step["mapped_output"] or {}:
        step["mapped_output"][name] = "n/a"


def _as_text(step: JsonObject) -> None:
    for name, value in (step["mapped_output"] or {}).items():
        if not isinstance(value, str):
            step["mapped_output"][name] = str(value)


def _mixed_keys(run: JsonObject) -> None:
    columns = {column["id"]: column["label"] for column in run["column_config"] or []}
    for step in run["steps"][1:]:
        if step["mapped_output"]:
            mapped = step["mapped_output"].items()
            step["mapped_output"] = {columns.get(name, name): value for name, value in mapped}


def _mapped_without_column(step: JsonObject) -> None:
    if step["mapped_output"] is None:
        step["mapped_output"] = {"result": step["output"]}


TRACE_FAULTS = (
    Fault("duration-in-seconds", "Run durations are in seconds.", "time",
          "duration_is_end_minus_start", on_runs(_in_seconds, "completed", "failed")),
    Fault("step-duration-in-seconds", "Step durations are in seconds.", "time",
          "duration_is_end_minus_start", on_steps(_in_seconds, "completed")),
    Fault("duration-from-queue", "A run's duration counts the time in the queue.", "time",
          "duration_is_end_minus_start",
          on_runs(lambda run: run.update(duration_ms=run["duration_ms"] + 180), "completed")),
    Fault("negative-duration", "The subtraction is the wrong way round.", "time",
          "duration_is_not_negative",
          on_steps(lambda step: step.update(duration_ms=-step["duration_ms"] - 1), "completed")),
    Fault("start-and-end-swapped", "Start and end of a run are swapped.", "time",
          "end_is_not_before_start", on_runs(_swapped, "completed", "failed")),
    Fault("start-without-zone", "`started_at` is local time without a zone.", "time",
          "timestamps_are_iso_8601_with_a_zone", on_detail(_without_zone)),
    Fault("created-with-blank", "`created` has a blank in place of the T.", "time",
          "timestamps_are_iso_8601_with_a_zone", on_detail(_with_blank)),
    Fault("micros-in-timestamps", "`created` has six decimals.", "time",
          "timestamps_have_the_documented_form",
          on_detail(lambda run: run.update(created=run["created"].replace("Z", "000Z"))),
          severity="warning"),
    Fault("step-in-another-zone", "The first step's times are an hour behind.", "time",
          "steps_lie_within_the_run", on_runs(_step_before_run, "completed")),
    Fault("step-after-the-end", "The last step ends a minute after its run.", "time",
          "steps_lie_within_the_run", on_runs(_step_after_run, "completed", "failed")),
    Fault("created-a-day-late", "The log row is written by a nightly job.", "time",
          "created_is_near_the_start", on_detail(move("created", 86_400_000)), severity="warning"),
    Fault("steps-newest-first", "Steps are sorted the wrong way round.", "ordering",
          "steps_stand_in_order_of_start", on_runs(_reversed, "completed")),
    Fault("steps-overlap", "A step starts before the one it depends on has ended.", "definition",
          "edges_are_followed_in_time", on_runs(_overlapping, "completed")),
    Fault("steps-doubled", "A join doubles every step.", "ordering",
          "step_id_is_unique_outside_loops", on_detail(_doubled)),
    Fault("iteration-stuck", "Every iteration is numbered 0.", "ordering",
          "iterations_can_be_told_apart", on_steps(_stuck_iteration), severity="warning"),
    Fault("total-items-counts-along", "`total_items` is the number done so far.", "ordering",
          "iterations_can_be_told_apart", on_steps(_wrong_total), severity="warning"),
    Fault("step-id-of-another", "Steps have an internal id.", "definition",
          "steps_are_actions_of_the_definition",
          on_steps(lambda step: step.update(step_id=f"node_{step['step_id']}"))),
    Fault("step-named-by-kind", "Steps have their kind as name.", "definition",
          "steps_carry_kind_and_name_of_their_action", on_steps(_kind_as_name)),
    Fault("operation-of-another", "Slack steps have the kind of direct messages.", "definition",
          "steps_carry_kind_and_name_of_their_action",
          on_steps(lambda step: step.update(operation="slack_send_user_message")
                   if step["operation"] == "slack_send_channel_message" else None)),
    Fault("event-name-shortened", "The event name lacks its prefix.", "definition",
          "event_name_is_the_trigger_kind",
          on_detail(lambda run: run.update(event_name=run["event_name"].partition("/")[2]))),
    Fault("inputs-unresolved", "Inputs are those of the definition.", "definition",
          "inputs_are_resolved", on_steps(_unresolved, "completed")),
    Fault("both-branches-run", "The skipped branch of an `if` is shown as completed.",
          "definition", "one_branch_of_an_if_runs", on_steps(_both_branches, "skipped"),
          severity="warning"),
    Fault("operation-renamed", "Agent steps have a kind that is not in the catalogue.",
          "definition", "operations_are_in_the_catalogue",
          on_steps(lambda step: step.update(operation="agent_v2")
                   if step["operation"] == "generic_agent" else None), severity="warning"),
    Fault("column-ids-repeat", "All columns have the same id.", "mapping",
          "column_ids_are_unique", on_detail(_same_column)),
    Fault("column-of-a-gone-step", "A column names an action that was deleted.", "definition",
          "columns_name_known_steps", on_detail(_lost_column), severity="warning"),
    Fault("mapped-value-wrong", "Mapped values are placeholders.", "mapping",
          "mapped_values_are_those_of_the_output", on_steps(_wrong_mapped, "completed")),
    Fault("mapped-numbers-as-text", "Mapped numbers become strings.", "mapping",
          "mapped_values_are_those_of_the_output", on_steps(_as_text, "completed")),
    Fault("mapped-keys-mixed", "Later steps key mapped values by label.", "mapping",
          "mapped_values_have_one_kind_of_key", on_detail(_mixed_keys)),
    Fault("mapped-without-column", "Steps without a column have mapped values.", "mapping",
          "steps_without_columns_map_nothing", on_steps(_mapped_without_column, "completed")),
    Fault("mapped-empty-object", "Steps without a column have `{}`.", "mapping",
          "steps_without_columns_map_nothing",
          on_steps(lambda step: step.update(mapped_output=step["mapped_output"] or {})),
          severity="warning"),
    Fault("mapped-missing", "Mapped values are never written.", "mapping",
          "mapped_values_are_those_of_the_output", on_steps(put(mapped_output=None)),
          severity="warning"),
)  # fmt: skip
