"""Bugs a single document does not show: identity, reads, keys, errors and HTTP."""

from collections.abc import Callable

from werkzeug.datastructures import Headers

from deadringer.contracts import Json, JsonObject

from .model import (
    Answer,
    Change,
    ContractFault,
    Traffic,
    moved,
    on_data,
    on_detail,
    on_status,
    put,
)

Fault = ContractFault


def _on_read(change: Callable[[JsonObject, int], None]) -> Change:
    """Make a change to executions from the second read of a run on."""

    def changed(traffic: Traffic, answer: Answer) -> None:
        if traffic.operation_id == "getExecution" and answer.data and traffic.count:
            change(answer.data, traffic.count)

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


def _found_anywhere(traffic: Traffic, answer: Answer) -> None:
    """Look a run up by its id alone, and answer as if it were of the asked workflow."""
    if traffic.operation_id == "getExecution" and answer.status == 404 and traffic.has_good_key:
        _answer_from_owner(traffic, answer)


def _answer_from_owner(traffic: Traffic, answer: Answer) -> None:
    for workflow in traffic.ask("/v1/workflows?limit=100").data["items"]:
        found = traffic.ask(f"/v1/workflows/{workflow['id']}/executions/{traffic.ids['runId']}")
        if found.status == 200:
            found.data["workflow_id"] = traffic.ids["id"]
            answer.status, answer.body = 200, found.body


def _forbidden_elsewhere(traffic: Traffic, answer: Answer) -> None:
    if traffic.operation_id == "getExecution" and answer.status == 404 and traffic.has_good_key:
        found = Answer(404, Headers(), {})
        _answer_from_owner(traffic, found)
        if found.status == 200:
            answer.status = 403
            answer.error["code"] = "FORBIDDEN"


def _crashes_on_unknown(traffic: Traffic, answer: Answer) -> None:
    if traffic.operation_id == "getExecution" and answer.status == 404:
        answer.status = 500
        answer.error["code"] = "INTERNAL_ERROR"


def _crashes_on_long(traffic: Traffic, answer: Answer) -> None:
    if len(traffic.path) > 300 and answer.status == 404:
        answer.status = 500


def _empty_for_unknown(traffic: Traffic, answer: Answer) -> None:
    if traffic.operation_id == "getExecution" and answer.status == 404:
        answer.status, answer.body = 200, {"success": True, "data": None}


def _opened(*operation_ids: str, wrong_keys: bool = True, no_key: bool = True) -> Change:
    """Answer some operations without a good key."""

    def changed(traffic: Traffic, answer: Answer) -> None:
        let_in = no_key if not traffic.key else wrong_keys
        if traffic.operation_id in operation_ids and answer.status == 401 and let_in:
            found = traffic.ask(target_of(traffic))
            answer.status, answer.body, answer.raw = found.status, found.body, found.raw

    return changed


def target_of(traffic: Traffic) -> str:
    query = "&".join(f"{name}={value}" for name, value in traffic.query.items())
    return f"{traffic.path}?{query}"


def _prefix_is_enough(traffic: Traffic, answer: Answer) -> None:
    is_near = traffic.key.startswith("trig_demo_key_0123456789")
    if answer.status == 401 and traffic.operation_id == "getExecution" and is_near:
        found = traffic.ask(target_of(traffic))
        answer.status, answer.body = found.status, found.body


def _key_in_query(traffic: Traffic, answer: Answer) -> None:
    if answer.status == 401 and {"api_key", "x-api-key"} & traffic.query.keys():
        found = traffic.ask(traffic.path)
        answer.status, answer.body = found.status, found.body


def _bearer_refused(traffic: Traffic, answer: Answer) -> None:
    if traffic.is_bearer and traffic.has_good_key:
        answer.status = 401
        answer.body = {"message": "Unauthorized", "error": "Invalid or missing API key"}


def _existence_first(traffic: Traffic, answer: Answer) -> None:
    if answer.status == 401 and traffic.operation_id == "getExecution":
        found = traffic.ask(traffic.path)
        if found.status == 404:
            answer.status, answer.body = 404, found.body


def _code_on(status: int, code: str) -> Change:
    return on_status(status, lambda answer: answer.error.update(code=code))


def _flat_error(answer: Answer) -> None:
    answer.body = {"success": False, "error": answer.error.get("message", "error")}


def _html_error(answer: Answer) -> None:
    answer.raw = b"<html><body><h1>404 Not Found</h1></body></html>"
    answer.headers["Content-Type"] = "text/html"


def _success_true(answer: Answer) -> None:
    if isinstance(answer.body, dict):
        answer.body["success"] = True


def _success_left_false(traffic: Traffic, answer: Answer) -> None:
    if answer.data and answer.data.get("status") == "failed":
        answer.body["success"] = False


def _empty_message(_traffic: Traffic, answer: Answer) -> None:
    if answer.status == 200 and isinstance(answer.body, dict):
        answer.body["message"] = ""


def _as_text(traffic: Traffic, answer: Answer) -> None:
    if traffic.operation_id == "getExecution" and answer.status == 200:
        answer.headers["Content-Type"] = "text/plain"


def _range_clamped(traffic: Traffic, answer: Answer) -> None:
    if traffic.operation_id == "listExecutions" and answer.status == 400:
        found = traffic.ask(traffic.path)
        answer.status, answer.body = found.status, found.body


def _odd_page_crashes(traffic: Traffic, answer: Answer) -> None:
    is_number = traffic.query.get("page", "1").lstrip("-").isdigit()
    if traffic.operation_id == "listExecutions" and answer.status == 400 and not is_number:
        answer.fail(500, "INTERNAL_ERROR")


def _redirected(traffic: Traffic, answer: Answer) -> None:
    if traffic.operation_id == "getExecution" and answer.status == 200:
        answer.status, answer.body = 302, None
        answer.headers["Location"] = "https://login.example.com/"


def _crashes_on_failed(traffic: Traffic, answer: Answer) -> None:
    if traffic.operation_id == "getExecution" and answer.data.get("status") == "failed":
        answer.fail(500, "INTERNAL_ERROR")


def _variables(**members: Json) -> Change:
    return on_data("getExecutionVariables", lambda data: data.update(members))


def _stale_variables(data: JsonObject) -> None:
    for step in data["steps"].values():
        if step["output"] is not None:
            step["output"] = {"stale": True}


def _stray_variables(data: JsonObject) -> None:
    data["steps"]["trigger"] = {"output": {}}


def _bad_body_taken(traffic: Traffic, answer: Answer) -> None:
    if traffic.operation_id == "testWorkflow" and answer.status == 400:
        answer.status = 200
        answer.body = {
            "success": True,
            "data": {
                "test_run_id": "run_x7k9m2",
                "workflow_id": traffic.ids["id"],
                "trigger_type": "workflows/new-post",
            },
        }


ACCESS_FAULTS = (
    Fault("run-id-of-the-row", "`run_id` holds the id of the log row.", "identity",
          "id_differs_from_run_id", on_detail(lambda run: run.update(run_id=run["id"]))),
    Fault("run-id-in-capitals", "Ids are normalised to capitals.", "identity",
          "detail_is_of_the_run_asked_for",
          on_detail(lambda run: run.update(run_id=run["run_id"].upper()))),
    Fault("workflow-id-of-a-template", "`workflow_id` names the template.", "identity",
          "detail_is_of_the_run_asked_for", on_detail(put(workflow_id="wf_template"))),
    Fault("finished-run-moves", "The end of a finished run moves with each read.", "reads",
          "finished_runs_never_change", _on_read(_finished_again)),
    Fault("error-grows", "Each read adds to the error of a failed run.", "reads",
          "finished_runs_never_change", _on_read(_error_grows)),
    Fault("output-expires", "Outputs are gone when read again.", "reads",
          "finished_runs_never_change", _on_read(_output_expires)),
    Fault("id-per-read", "The id of the log row is made anew for each read.", "reads",
          "origin_never_changes", _on_read(_new_id)),
    Fault("start-drifts", "The start of a run is computed from now.", "reads",
          "origin_never_changes", _on_read(_start_drifts)),
    Fault("run-goes-back", "A replica that lags shows a finished run as running.", "reads",
          "status_only_moves_forward", _on_read(_back_to_running)),
    Fault("step-goes-back", "A running step waits again.", "reads",
          "status_only_moves_forward", _on_read(_running_step_waits_again)),
    Fault("step-vanishes", "Finished steps of a running run are dropped.", "reads",
          "started_steps_stay_in_order", _on_read(_first_step_vanishes)),
    Fault("run-found-anywhere", "Runs are looked up without their workflow.", "not-found",
          "runs_stay_in_their_workflow", _found_anywhere),
    Fault("forbidden-elsewhere", "A run of another workflow is 403: it exists.", "not-found",
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
    Fault("key-in-query", "The key may stand in the query.", "auth",
          "key_in_the_query_is_not_enough", _key_in_query, severity="warning"),
    Fault("existence-before-key", "Without a key, unknown runs are 404.", "auth",
          "requests_without_good_key_are_refused", _existence_first),
    Fault("key-refused-with-403", "A wrong key is a 403.", "auth",
          "requests_without_good_key_are_refused",
          on_status(401, lambda answer: setattr(answer, "status", 403))),
    Fault("one-code-for-every-401", "Every 401 says INVALID_API_KEY.", "auth",
          "refusals_tell_missing_from_wrong_key", _code_on(401, "INVALID_API_KEY")),
    Fault("key-echoed", "Refusals repeat the key.", "auth", "answers_never_repeat_the_key",
          lambda traffic, answer: answer.error.update(details={"key": traffic.key})
          if answer.status == 404 else None, severity="warning"),
    Fault("bearer-refused", "Bearer tokens are not known.", "auth", "bearer_key_is_accepted",
          _bearer_refused, severity="warning"),
    Fault("flat-errors", "The error of a 404 is a text.", "not-found",
          "unknown_ids_are_not_found", on_status(404, _flat_error)),
    Fault("flat-validation-errors", "The error of a 400 is a text.", "http",
          "error_bodies_have_the_documented_shape", on_status(400, _flat_error)),
    Fault("html-not-found", "A 404 is a page of the web server.", "http", "answers_are_json",
          on_status(404, _html_error)),
    Fault("errors-succeed", "Error answers say `success: true`.", "http",
          "success_goes_with_the_status", on_status(404, _success_true)),
    Fault("failed-runs-do-not-succeed", "Reading a failed run says `success: false`.", "http",
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
    Fault("range-clamped", "A page out of range is moved into it.", "http",
          "bad_query_is_refused", _range_clamped),
    Fault("odd-page-crashes", "A page that is no number is a 500.", "http",
          "no_server_errors", _odd_page_crashes),
    Fault("workflow-of-another", "Get Workflow answers with a template's id.", "definition",
          "edges_join_known_actions",
          on_data("getWorkflow", lambda data: data["workflow"]["edges"].append(
              {"from": "gone-1", "to": "gone-2"})), severity="warning"),
    Fault("variables-of-another-run", "Variables name the log row.", "reads",
          "variables_are_of_the_run", _variables(run_id="exec_other")),
    Fault("variables-stale", "Variables show outputs of an earlier run.", "reads",
          "variables_repeat_the_outputs", on_data("getExecutionVariables", _stale_variables)),
    Fault("variables-with-trigger", "Variables hold a step that is none.", "reads",
          "variables_name_steps_of_the_run", on_data("getExecutionVariables", _stray_variables)),
    Fault("bad-test-body-taken", "A mode that does not exist is accepted.", "http",
          "bad_body_is_refused", _bad_body_taken, severity="warning", needs_writes=True),
)  # fmt: skip
