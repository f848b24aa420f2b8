"""Bugs that a single document does not show: identity, reads, keys, errors and HTTP."""

from collections.abc import Callable

from werkzeug.datastructures import Headers

from deadringer.contracts import Json, JsonObject
from deadringer.fixtures.edits import moved, put

from .model import (
    Change,
    ContractFault,
    MutableResponse,
    Traffic,
    on_data,
    on_detail,
    on_status,
)

Fault = ContractFault


def _on_read(change: Callable[[JsonObject, int], None]) -> Change:
    """Return a change of executions from the second read of a run on."""

    def changed(traffic: Traffic, response: MutableResponse) -> None:
        if traffic.operation_id == "getExecution" and response.data and traffic.count:
            change(response.data, traffic.count)

    return changed


def _finished_again(run: JsonObject, count: int) -> None:
    if run["status"] == "completed":
        run["ended_at"] = moved(run["ended_at"], count)
        run["duration_ms"] += count


def _error_grows(run: JsonObject, count: int) -> None:
    if run["status"] == "failed":
        run["error"] += f" (seen {count} times)"


def _output_expires(run: JsonObject, _count: int) -> None:
    if run["status"] == "completed" and run["steps"]:
        run["steps"][-1]["output"] = None
        run["steps"][-1]["mapped_output"] = None


def _new_id(run: JsonObject, count: int) -> None:
    run["id"] = f"{run['id']}-{count}"


def _start_drifts(run: JsonObject, count: int) -> None:
    run["started_at"] = moved(run["started_at"], -count)
    if run["duration_ms"] is not None:
        run["duration_ms"] += count


def _back_to_running(run: JsonObject, count: int) -> None:
    if run["status"] == "completed" and count % 2:
        run.update(status="running", ended_at=None, duration_ms=None)


def _running_step_waits_again(run: JsonObject, _count: int) -> None:
    for step in run["steps"]:
        if step["status"] == "running":
            step["status"] = "pending"


def _first_step_vanishes(run: JsonObject, _count: int) -> None:
    if run["status"] == "running" and len(run["steps"]) > 1:
        del run["steps"][0]


def _found_anywhere(traffic: Traffic, response: MutableResponse) -> None:
    """Look up a run by its id alone, and return it under the requested workflow."""
    if traffic.operation_id == "getExecution" and response.status == 404 and traffic.has_good_key:
        _copy_from_owner(traffic, response)


def _copy_from_owner(traffic: Traffic, response: MutableResponse) -> None:
    for workflow in traffic.send("/v1/workflows?limit=100").data["items"]:
        found = traffic.send(f"/v1/workflows/{workflow['id']}/executions/{traffic.ids['runId']}")
        if found.status == 200:
            found.data["workflow_id"] = traffic.ids["id"]
            response.status, response.body = 200, found.body


def _forbidden_elsewhere(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "getExecution" and response.status == 404 and traffic.has_good_key:
        found = MutableResponse(404, Headers(), {})
        _copy_from_owner(traffic, found)
        if found.status == 200:
            response.status = 403
            response.error["code"] = "FORBIDDEN"


def _crashes_on_unknown(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "getExecution" and response.status == 404:
        response.status = 500
        response.error["code"] = "INTERNAL_ERROR"


def _crashes_on_long(traffic: Traffic, response: MutableResponse) -> None:
    if len(traffic.path) > 300 and response.status == 404:
        response.status = 500


def _empty_for_unknown(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "getExecution" and response.status == 404:
        response.status, response.body = 200, {"success": True, "data": None}


def _opened(*operation_ids: str, wrong_keys: bool = True, no_key: bool = True) -> Change:
    """Return a change that makes operations respond without a valid key."""

    def changed(traffic: Traffic, response: MutableResponse) -> None:
        let_in = no_key if not traffic.key else wrong_keys
        if traffic.operation_id in operation_ids and response.status == 401 and let_in:
            found = traffic.send(target_of(traffic))
            response.status, response.body, response.raw = found.status, found.body, found.raw

    return changed


def target_of(traffic: Traffic) -> str:
    """Return path and query of the request."""
    query = "&".join(f"{name}={value}" for name, value in traffic.query.items())
    return f"{traffic.path}?{query}"


def _prefix_is_enough(traffic: Traffic, response: MutableResponse) -> None:
    is_near = traffic.key.startswith("trig_demo_key_0123456789")
    if response.status == 401 and traffic.operation_id == "getExecution" and is_near:
        found = traffic.send(target_of(traffic))
        response.status, response.body = found.status, found.body


def _key_in_query(traffic: Traffic, response: MutableResponse) -> None:
    if response.status == 401 and {"api_key", "x-api-key"} & traffic.query.keys():
        found = traffic.send(traffic.path)
        response.status, response.body = found.status, found.body


def _bearer_refused(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.is_bearer and traffic.has_good_key:
        response.status = 401
        response.body = {"message": "Unauthorized", "error": "Invalid or missing API key"}


def _existence_first(traffic: Traffic, response: MutableResponse) -> None:
    if response.status == 401 and traffic.operation_id == "getExecution":
        found = traffic.send(traffic.path)
        if found.status == 404:
            response.status, response.body = 404, found.body


def _code_on(status: int, code: str) -> Change:
    return on_status(status, lambda response: response.error.update(code=code))


def _flat_error(response: MutableResponse) -> None:
    response.body = {"success": False, "error": response.error.get("message", "error")}


def _html_error(response: MutableResponse) -> None:
    response.raw = b"<html><body><h1>404 Not Found</h1></body></html>"
    response.headers["Content-Type"] = "text/html"


def _success_true(response: MutableResponse) -> None:
    if isinstance(response.body, dict):
        response.body["success"] = True


def _success_left_false(traffic: Traffic, response: MutableResponse) -> None:
    if response.data and response.data.get("status") == "failed":
        response.body["success"] = False


def _empty_message(_traffic: Traffic, response: MutableResponse) -> None:
    if response.status == 200 and isinstance(response.body, dict):
        response.body["message"] = ""


def _as_text(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "getExecution" and response.status == 200:
        response.headers["Content-Type"] = "text/plain"


def _range_clamped(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "listExecutions" and response.status == 400:
        found = traffic.send(traffic.path)
        response.status, response.body = found.status, found.body


def _text_page_crashes(traffic: Traffic, response: MutableResponse) -> None:
    is_number = traffic.query.get("page", "1").lstrip("-").isdigit()
    if traffic.operation_id == "listExecutions" and response.status == 400 and not is_number:
        response.fail(500, "INTERNAL_ERROR")


def _redirected(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "getExecution" and response.status == 200:
        response.status, response.body = 302, None
        response.headers["Location"] = "https://login.example.com/"


def _crashes_on_failed(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "getExecution" and response.data.get("status") == "failed":
        response.fail(500, "INTERNAL_ERROR")


def _variables(**members: Json) -> Change:
    return on_data("getExecutionVariables", lambda data: data.update(members))


def _stale_variables(data: JsonObject) -> None:
    for step in data["steps"].values():
        if step["output"] is not None:
            step["output"] = {"stale": True}


def _stray_variables(data: JsonObject) -> None:
    data["steps"]["trigger"] = {"output": {}}


def _bad_body_taken(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "testWorkflow" and response.status == 400:
        response.status = 200
        response.body = {
            "success": True,
            "data": {
                "test_run_id": "run_x7k9m2",
                "workflow_id": traffic.ids["id"],
                "trigger_type": "workflows/new-post",
            },
        }


ACCESS_FAULTS = (
    Fault("run-id-in-capitals", "Ids are converted to capitals.", "identity",
          "detail_is_of_the_run_asked_for",
          on_detail(lambda run: run.update(run_id=run["run_id"].upper()))),
    Fault("workflow-id-of-a-template", "`workflow_id` names the template.", "identity",
          "detail_is_of_the_run_asked_for", on_detail(put(workflow_id="wf_template"))),
    Fault("finished-run-moves", "The end of a finished run moves with each read.", "reads",
          "finished_runs_never_change", _on_read(_finished_again)),
    Fault("error-grows", "Each read adds to the error of a failed run.", "reads",
          "finished_runs_never_change", _on_read(_error_grows)),
    Fault("output-expires", "Outputs are missing on later reads.", "reads",
          "finished_runs_never_change", _on_read(_output_expires)),
    Fault("id-per-read", "The id of the log row changes with each read.", "reads",
          "origin_never_changes", _on_read(_new_id)),
    Fault("start-drifts", "The start of a run is computed from now.", "reads",
          "origin_never_changes", _on_read(_start_drifts)),
    Fault("run-goes-back", "A replica that lags shows a finished run as running.", "reads",
          "status_only_moves_forward", _on_read(_back_to_running)),
    Fault("step-goes-back", "A running step becomes pending again.", "reads",
          "status_only_moves_forward", _on_read(_running_step_waits_again)),
    Fault("step-vanishes", "Finished steps of a running run are dropped.", "reads",
          "started_steps_stay_in_order", _on_read(_first_step_vanishes)),
    Fault("run-found-anywhere", "Runs are looked up without their workflow.", "not-found",
          "runs_stay_in_their_workflow", _found_anywhere),
    Fault("forbidden-elsewhere", "A run of another workflow is 403, not 404.", "not-found",
          "runs_stay_in_their_workflow", _forbidden_elsewhere),
    Fault("unknown-run-crashes", "An unknown run is a 500.", "not-found",
          "unknown_ids_are_not_found", _crashes_on_unknown),
    Fault("unknown-run-is-null", "An unknown run is 200 with null.", "not-found",
          "unknown_ids_are_not_found", _empty_for_unknown),
    Fault("not-found-code-missing", "A 404 has the code of a missing route.", "not-found",
          "unknown_ids_are_not_found", _code_on(404, "ROUTE_NOT_FOUND")),
    Fault("long-id-crashes", "An id too long for its column is a 500.", "not-found",
          "odd_ids_are_refused_in_json", _crashes_on_long),
    Fault("no-key-needed", "Execution Detail needs no key.", "auth",
          "requests_without_good_key_are_refused", _opened("getExecution", wrong_keys=False)),
    Fault("any-key-will-do", "Any key opens Execution Detail.", "auth",
          "requests_without_good_key_are_refused", _opened("getExecution", no_key=False)),
    Fault("list-is-open", "The list of runs needs no key.", "auth",
          "requests_without_good_key_are_refused", _opened("listExecutions")),
    Fault("balance-is-open", "The balance needs no key.", "auth",
          "requests_without_good_key_are_refused", _opened("getCreditBalance")),
    Fault("key-prefix-is-enough", "Keys are compared by their beginning.", "auth",
          "requests_without_good_key_are_refused", _prefix_is_enough),
    Fault("key-in-query", "The key is accepted in the query.", "auth",
          "key_in_the_query_is_not_enough", _key_in_query, severity="warning"),
    Fault("existence-before-key", "Without a key, unknown runs are 404.", "auth",
          "requests_without_good_key_are_refused", _existence_first),
    Fault("key-refused-with-403", "A wrong key is a 403.", "auth",
          "requests_without_good_key_are_refused",
          on_status(401, lambda response: setattr(response, "status", 403))),
    Fault("one-code-for-every-401", "Every 401 has the code INVALID_API_KEY.", "auth",
          "refusals_tell_missing_from_wrong_key", _code_on(401, "INVALID_API_KEY")),
    Fault("key-echoed", "Error responses repeat the key.", "auth", "answers_never_repeat_the_key",
          lambda traffic, response: response.error.update(details={"key": traffic.key})
          if response.status == 404 else None),
    Fault("bearer-refused", "Bearer tokens are not accepted.", "auth", "bearer_key_is_accepted",
          _bearer_refused, severity="warning"),
    Fault("flat-errors", "The error of a 404 is a string.", "not-found",
          "unknown_ids_are_not_found", on_status(404, _flat_error)),
    Fault("flat-validation-errors", "The error of a 400 is a string.", "http",
          "error_bodies_have_the_documented_shape", on_status(400, _flat_error)),
    Fault("html-not-found", "A 404 is an HTML page of the web server.", "http", "answers_are_json",
          on_status(404, _html_error)),
    Fault("errors-succeed", "Error responses have `success: true`.", "http",
          "success_goes_with_the_status", on_status(404, _success_true)),
    Fault("failed-runs-do-not-succeed", "Reading a failed run returns `success: false`.", "http",
          "success_goes_with_the_status", _success_left_false),
    Fault("empty-message", "`message` is empty.", "http", "message_is_a_text", _empty_message),
    Fault("detail-as-text", "Execution Detail is sent as text/plain.", "http",
          "answers_are_json", _as_text),
    Fault("failed-runs-crash", "Reading a failed run is a 500.", "http", "no_server_errors",
          _crashes_on_failed),
    Fault("redirect-to-login", "Execution Detail redirects to a login page.", "http",
          "no_redirects", _redirected),
    Fault("bad-request-code", "A bad page has the code of a missing resource.", "http",
          "error_code_fits_status", _code_on(400, "NOT_FOUND")),
    Fault("range-clamped", "A page out of range is clamped.", "http",
          "bad_query_is_refused", _range_clamped),
    Fault("text-page-crashes", "A page that is not a number is a 500.", "http",
          "no_server_errors", _text_page_crashes),
    Fault("workflow-of-another", "Get Workflow has an edge between unknown actions.", "definition",
          "edges_join_known_actions",
          on_data("getWorkflow", lambda data: data["workflow"]["edges"].append(
              {"from": "gone-1", "to": "gone-2"})), severity="warning"),
    Fault("variables-of-another-run", "Variables have another run's id.", "reads",
          "variables_are_of_the_run", _variables(run_id="exec_other")),
    Fault("variables-stale", "Variables show outputs of an earlier run.", "reads",
          "variables_repeat_the_outputs", on_data("getExecutionVariables", _stale_variables)),
    Fault("variables-with-trigger", "Variables include an unknown step.", "reads",
          "variables_name_steps_of_the_run", on_data("getExecutionVariables", _stray_variables)),
    Fault("bad-test-body-taken", "A mode that does not exist is accepted.", "http",
          "bad_body_is_refused", _bad_body_taken, severity="warning", needs_writes=True),
)  # fmt: skip
