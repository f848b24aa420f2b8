"""Bugs in one execution: shape, status, nulls and errors."""

from deadringer.contracts import Json, JsonObject

from .model import (
    Change,
    ContractFault,
    MutableResponse,
    Traffic,
    drop,
    on_detail,
    on_runs,
    on_steps,
    put,
)

Fault = ContractFault


def _steps_as_object(run: JsonObject) -> None:
    run["steps"] = {step["step_id"]: step for step in run["steps"]}


def _columns_without_path(run: JsonObject) -> None:
    for column in run["column_config"] or []:
        del column["fieldPath"]


def _nested(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "getExecution" and response.data:
        response.body["data"] = {"execution": response.data}


def _last_step(**members: Json) -> Change:
    def change(run: JsonObject) -> None:
        if run["steps"]:
            run["steps"][-1].update(members)

    return on_runs(change, "completed")


def _no_failed_step(run: JsonObject) -> None:
    for step in run["steps"]:
        if step["status"] == "failed":
            step.update(status="skipped", error=None, ended_at=None, duration_ms=None)


def _half_an_end(step: JsonObject) -> None:
    step["duration_ms"] = None


DOCUMENT_FAULTS = (
    Fault("step-input-as-text", "The input is sent as a string.", "shape", "schema",
          on_steps(lambda step: step.update(input=str(step["input"])))),
    Fault("duration-as-text", "The duration is sent as a string.", "shape", "schema",
          on_runs(lambda run: run.update(duration_ms=str(run["duration_ms"])), "completed")),
    Fault("duration-with-fraction", "The duration has microseconds as a fraction.", "shape",
          "schema", on_runs(lambda run: run.update(duration_ms=run["duration_ms"] + 0.25),
                            "completed")),
    Fault("steps-null-before-first", "A run without steps has null in place of an array.",
          "shape", "schema",
          on_detail(lambda run: run.update(steps=run["steps"] or None))),
    Fault("steps-as-object", "Steps are keyed by their id.", "shape", "schema",
          on_detail(_steps_as_object)),
    Fault("unknown-run-status", "A finished run is `success` instead of `completed`.", "shape",
          "schema", on_runs(put(status="success"), "completed")),
    Fault("unknown-step-status", "A skipped step is `cancelled`.", "shape", "schema",
          on_steps(put(status="cancelled"), "skipped")),
    Fault("status-in-capitals", "Statuses of steps are in capitals.", "shape", "schema",
          on_steps(lambda step: step.update(status=step["status"].upper()))),
    Fault("created-missing", "The serializer of failed runs omits `created`.", "shape",
          "schema", on_runs(drop("created"), "failed")),
    Fault("event-name-missing", "`event_name` is missing while a run is running.", "shape",
          "schema", on_runs(drop("event_name"), "running")),
    Fault("step-input-missing", "Skipped steps have no `input`.", "shape", "schema",
          on_steps(drop("input"), "skipped")),
    Fault("step-name-missing", "Steps of actions without a name have no `step_name`.", "shape",
          "schema", on_steps(lambda step: step.pop("step_name")
                             if step["step_name"] is None else None)),
    Fault("run-error-as-object", "The run's error is the object of its step.", "shape", "schema",
          on_runs(lambda run: run.update(error={"message": run["error"]}), "failed")),
    Fault("column-without-path", "Columns come without `fieldPath`.", "shape", "schema",
          on_detail(_columns_without_path)),
    Fault("execution-nested", "The execution is wrapped in another object.", "shape", "schema",
          _nested),
    Fault("epoch-timestamps", "`created` is seconds since 1970.", "shape", "schema",
          on_detail(put(created=1774606500))),
    Fault("running-run-with-end", "A running run has the time of the read as its end.",
          "status", "running_run_has_no_end",
          on_runs(lambda run: run.update(ended_at=run["started_at"]), "running")),
    Fault("running-run-with-duration", "A running run has a duration of 0.", "status",
          "running_run_has_no_end", on_runs(put(duration_ms=0), "running")),
    Fault("failed-run-without-end", "A failed run never gets an end.", "status",
          "finished_run_has_an_end", on_runs(put(ended_at=None, duration_ms=None), "failed")),
    Fault("completed-run-without-duration", "The duration of completed runs is null.", "status",
          "finished_run_has_an_end", on_runs(put(duration_ms=None), "completed")),
    Fault("skipped-step-with-output", "Skipped steps have an empty output.", "status",
          "unfinished_step_has_no_output", on_steps(put(output={}), "skipped")),
    Fault("running-step-with-output", "A running step shows a partial output.", "status",
          "unfinished_step_has_no_output", on_steps(put(output={"partial": True}), "running")),
    Fault("running-step-with-end", "A running step has an end and a duration.", "status",
          "unfinished_step_has_no_end",
          on_steps(lambda step: step.update(ended_at=step["started_at"], duration_ms=0),
                   "running")),
    Fault("pending-step-with-duration", "A pending step has a duration of 0.", "status",
          "unfinished_step_has_no_end", on_steps(put(duration_ms=0), "pending")),
    Fault("step-end-without-duration", "Completed steps have an end and no duration.", "status",
          "step_end_and_duration_come_together", on_steps(_half_an_end, "completed")),
    Fault("pending-step-in-completed-run", "The last step of a completed run stays pending.",
          "status", "completed_run_has_only_finished_steps",
          _last_step(status="pending", ended_at=None, duration_ms=None, output=None,
                     mapped_output=None), severity="warning"),
    Fault("running-step-in-completed-run", "The last step of a completed run stays running.",
          "status", "running_step_means_running_run",
          _last_step(status="running", ended_at=None, duration_ms=None, output=None,
                     mapped_output=None)),
    Fault("failed-run-without-error", "The error of a failed run is null.", "errors",
          "failed_run_says_why", on_runs(put(error=None), "failed")),
    Fault("failed-run-with-empty-error", "The error of a failed run is empty.", "errors",
          "failed_run_says_why", on_runs(put(error=""), "failed")),
    Fault("error-left-on-completed-run", "An error stays on a run that was retried and completed.",
          "errors", "run_that_did_not_fail_has_no_error",
          on_runs(put(error="Step 'Enrich profile' failed: profile not found"), "completed")),
    Fault("empty-error-on-running-run", "A running run has an empty error.", "errors",
          "run_that_did_not_fail_has_no_error", on_runs(put(error=""), "running")),
    Fault("failed-step-without-error", "Failed steps have no error.", "errors",
          "failed_step_says_why", on_steps(put(error=None), "failed")),
    Fault("error-left-on-completed-step", "A retried step still has its first error.", "errors",
          "step_that_did_not_fail_has_no_error",
          on_steps(put(error={"code": "RETRIED", "message": "timed out once"}), "completed")),
    Fault("error-on-skipped-step", "Skipped steps have their reason in `error`.", "errors",
          "step_that_did_not_fail_has_no_error", on_steps(put(error="skipped"), "skipped")),
    Fault("failed-run-without-failed-step", "The failed step of a failed run is shown as skipped.",
          "errors", "failed_run_has_a_failed_step", on_runs(_no_failed_step, "failed")),
    Fault("run-error-names-no-step", "The run's error is a general sentence.", "errors",
          "run_error_names_the_failed_step",
          on_runs(put(error="The workflow failed."), "failed"), severity="warning"),
    Fault("failed-step-in-completed-run", "A run completes despite a failed step.", "status",
          "completed_run_has_only_finished_steps",
          _last_step(status="failed", error="no answer", output=None, mapped_output=None),
          severity="warning"),
)  # fmt: skip
