"""Bugs around a run: lists, catalogue, cost, limits and test runs."""

from deadringer.fixtures.edits import moved, put

from .model import Change, ContractFault, MutableResponse, Traffic, on_data, on_rows

Fault = ContractFault


def _no_such_page(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "listExecutions" and response.data.get("executions") == []:
        response.fail(404, "NOT_FOUND")


def _page_ignored(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "listExecutions" and response.data and "page" in traffic.query:
        size = traffic.query.get("page_size", "20")
        first = traffic.send(f"{traffic.path}?page_size={size}")
        response.data["executions"] = first.data["executions"]


def _row_repeated(traffic: Traffic, response: MutableResponse) -> None:
    page = int(traffic.query.get("page", "1")) if response.data else 1
    if traffic.operation_id == "listExecutions" and page > 1 and response.data["executions"]:
        size = traffic.query.get("page_size", "20")
        before = traffic.send(f"{traffic.path}?page={page - 1}&page_size={size}")
        if before.data["executions"]:
            response.data["executions"][0] = before.data["executions"][-1]


def _charged(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "getExecution":
        traffic.counts.add("reads")
    if traffic.operation_id == "getCreditBalance" and response.data:
        response.data["balance"] -= traffic.counts.value("reads")


def _headers(**values: str) -> Change:
    named = {name.replace("_", "-"): value for name, value in values.items()}

    def changed(_traffic: Traffic, response: MutableResponse) -> None:
        response.headers.update(named)

    return changed


def _remaining_too_many(_traffic: Traffic, response: MutableResponse) -> None:
    response.headers["RateLimit-Remaining"] = str(int(response.headers["RateLimit-Limit"]) + 1)


def _remaining_rises(traffic: Traffic, response: MutableResponse) -> None:
    rises = traffic.counts.add("rises")
    response.headers["RateLimit-Remaining"] = str(min(99, 11 + rises))


def _without_limits(_traffic: Traffic, response: MutableResponse) -> None:
    for name in ("Limit", "Remaining", "Reset"):
        response.headers.pop(f"RateLimit-{name}", None)


def _failed_runs_lost(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "getExecution" and response.data.get("status") == "failed":
        response.fail(404, "NOT_FOUND")


def _mock_ignored(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "getExecution":
        for step in response.data.get("steps", []):
            if step["output"] == {"result": {"ok": True, "note": "deadringer"}}:
                step["output"] = {"result": {"ok": True}}


def _test_never_there(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "testWorkflow" and response.data:
        response.data["test_run_id"] += "-queued"


def _test_of_template(traffic: Traffic, response: MutableResponse) -> None:
    if traffic.operation_id == "testWorkflow" and response.data:
        response.data["workflow_id"] = "wf_template"


def _test_never_ends(traffic: Traffic, response: MutableResponse) -> None:
    started = response.data.get("created", "")
    if traffic.operation_id == "getExecution" and started > "2026-04":
        response.data.update(status="running", ended_at=None, duration_ms=None, steps=[])


def _test_unlisted(traffic: Traffic, response: MutableResponse) -> None:
    rows = response.data.get("executions", [])
    if traffic.operation_id == "listExecutions" and rows:
        listed = [row for row in rows if row["started_at"] < "2026-04"]
        response.data["executions"] = listed
        page = response.data["pagination"]
        page["total_count"] -= len(rows) - len(listed)
        page["total_pages"] = -(-page["total_count"] // page["page_size"])


LIST_FAULTS = (
    Fault("beyond-the-end-is-404", "A page beyond the end is a 404.", "listing",
          "page_beyond_the_end_is_empty",
          _no_such_page, severity="warning"),
    Fault("list-status-lags", "The list shows failed runs as running.", "listing",
          "rows_agree_with_the_detail",
          on_rows(put(status="running", completed_at=None, duration=None, error=None), "failed")),
    Fault("list-duration-in-seconds", "The list has durations in seconds.", "listing",
          "row_durations_fit",
          on_rows(lambda row: row.update(duration=int(row["duration"] / 1000)),
                  "completed", "failed")),
    Fault("list-error-shortened", "The list truncates errors.", "listing",
          "rows_agree_with_the_detail",
          on_rows(lambda row: row.update(error=row["error"][:12]), "failed")),
    Fault("list-start-rounded", "The list rounds starts to minutes.", "listing",
          "rows_agree_with_the_detail",
          on_rows(lambda row: row.update(
              started_at=row["started_at"][:16] + ":00.000Z", duration=row["duration"]))),
    Fault("running-row-with-end", "Running rows have an end.", "listing",
          "running_rows_have_no_end",
          on_rows(lambda row: row.update(completed_at=row["started_at"]), "running")),
    Fault("failed-row-without-error", "Failed rows have no error.", "listing",
          "failed_rows_say_why", on_rows(put(error=None), "failed")),
    Fault("error-on-completed-row", "Completed rows have an error.", "listing",
          "unfailed_rows_have_no_error", on_rows(put(error="none"), "completed")),
    Fault("finished-row-without-end", "Completed rows have no end.", "listing",
          "finished_rows_have_an_end",
          on_rows(put(completed_at=None, duration=None), "completed")),
    Fault("row-ends-before-start", "Rows end before they start.", "listing",
          "rows_end_after_they_start",
          on_rows(lambda row: row.update(completed_at=moved(row["started_at"], -1000)),
                  "completed")),
    Fault("page-ignored", "Every page is the first one.", "listing",
          "walks_meet_every_run_once", _page_ignored),
    Fault("row-on-two-pages", "The last row of a page begins the next.", "listing",
          "walks_meet_every_run_once", _row_repeated),
    Fault("total-of-the-page", "`total_count` counts the rows of the page.", "listing",
          "page_arithmetic_holds",
          on_data("listExecutions", lambda data: data["pagination"].update(
              total_count=len(data["executions"])))),
    Fault("total-pages-rounded-down", "`total_pages` is rounded down.", "listing",
          "page_arithmetic_holds",
          on_data("listExecutions", lambda data: data["pagination"].update(
              total_pages=data["pagination"]["total_count"]
              // data["pagination"]["page_size"]))),
    Fault("page-counted-from-0", "`page` counts from 0.", "listing", "page_arithmetic_holds",
          on_data("listExecutions", lambda data: data["pagination"].update(
              page=data["pagination"]["page"] - 1))),
    Fault("recovered-names", "The list uses the member names of the detail.", "listing",
          "lists_speak_documented_names",
          on_rows(lambda row: row.update(
              ended_at=row.pop("completed_at"), duration_ms=row.pop("duration"))),
          severity="warning"),
    Fault("row-doubled", "Rows are listed twice on a page.", "listing",
          "run_ids_on_a_page_are_unique",
          on_data("listExecutions", lambda data: data.update(
              executions=[*data["executions"][:1], *data["executions"]][
                  : data["pagination"]["page_size"]]))),
    Fault("failed-runs-lost", "Failed runs are listed but cannot be read.", "listing",
          "listed_runs_are_readable", _failed_runs_lost),
    Fault("workflow-limit-ignored", "`limit` of workflows is ignored.", "listing",
          "workflow_pages_keep_the_limit",
          lambda traffic, response: response.data.update(
              items=traffic.send("/v1/workflows?limit=100").data["items"])
          if traffic.operation_id == "listWorkflows" and response.data else None),
    Fault("workflow-more-inverted", "`has_more` of workflows is inverted.", "listing",
          "workflow_pages_tell_of_more",
          on_data("listWorkflows", lambda data: data.update(has_more=not data["has_more"]))),
    Fault("catalogue-total-off", "`total` of the catalogue is off by one.", "catalogue",
          "catalogue_total_is_its_length",
          on_data("listActions", lambda data: data.update(total=data["total"] + 1))),
    Fault("category-ignored", "The category filter is ignored.", "catalogue",
          "catalogue_category_is_kept",
          lambda traffic, response: response.data.update(
              traffic.send("/v1/workflows/actions").data)
          if traffic.operation_id == "listActions" and response.data else None),
    Fault("kinds-doubled", "A kind is listed twice in the catalogue.", "catalogue",
          "catalogue_kinds_are_unique",
          on_data("listActions", lambda data: data.update(
              items=[*data["items"], data["items"][0]], total=data["total"] + 1)),
          severity="warning"),
    Fault("reads-cost-credits", "Each read of a run costs a credit.", "cost",
          "reads_cost_nothing", _charged),
    Fault("remaining-above-limit", "RateLimit-Remaining is above RateLimit-Limit.", "rate-limit",
          "rate_limit_values_fit", _remaining_too_many),
    Fault("reset-as-epoch", "RateLimit-Reset is a point in time, not a wait.", "rate-limit",
          "rate_limit_values_fit", _headers(RateLimit_Reset="1774606500")),
    Fault("remaining-rises", "RateLimit-Remaining counts up.", "rate-limit",
          "remaining_never_rises_in_a_window", _remaining_rises),
    Fault("limits-missing", "There are no RateLimit headers.", "rate-limit",
          "rate_limit_headers_are_on_every_answer", _without_limits, severity="warning"),
    Fault("test-run-never-there", "The id of a test run is never readable.", "test-run",
          "started_test_is_readable", _test_never_there, needs_writes=True),
    Fault("test-run-of-template", "A test run has the workflow id of a template.", "test-run",
          "started_test_is_of_its_workflow", _test_of_template, needs_writes=True),
    Fault("test-run-never-ends", "A test run never ends.", "test-run", "started_test_ends",
          _test_never_ends, severity="warning", needs_writes=True),
    Fault("test-run-unlisted", "Test runs are missing from the list.", "listing",
          "readable_runs_are_listed", _test_unlisted, needs_writes=True),
    Fault("mock-ignored", "Mocked outputs are changed.", "test-run",
          "mocked_actions_give_the_mock", _mock_ignored, needs_writes=True),
)  # fmt: skip
