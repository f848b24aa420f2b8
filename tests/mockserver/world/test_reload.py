"""--reload: documents are reloaded while the server runs."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from deadringer.fixtures import load_recordings, load_workflows
from deadringer.mockserver import Settings
from deadringer.mockserver.exceptions import StartError
from deadringer.mockserver.world.documents import LoadedExecutions, ServedDocument, load_executions
from deadringer.mockserver.world.service import Service
from deadringer.mockserver.world.watch import reload_executions
from tests.mockserver.conftest import DEMO

PATH = "/v1/workflows/wf_mine/executions/run_mine"


def document(**changes):
    execution = load_recordings()[0].execution
    return {**execution, "workflow_id": "wf_mine", "run_id": "run_mine", **changes}


@pytest.fixture
def following(start_server, tmp_path):
    """A server that watches `mine.json` and has loaded a first change."""
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(document(id="before")))
    server = start_server("--fixtures", str(tmp_path), "--reload")
    assert served_id(server) == "before"

    def is_taken_over() -> bool:
        # Written repeatedly, because the watch may not have begun at the first write.
        file.write_text(json.dumps(document(id="first")))
        return served_id(server) == "first"

    wait_until(is_taken_over)
    return server, file


def test_a_good_change_is_served(following):
    server, file = following

    file.write_text(json.dumps(document(id="second")))

    wait_until(lambda: served_id(server) == "second")
    assert "Fixtures changed and were reloaded." in server.log


def test_a_bad_change_keeps_the_last_good_state_and_says_why(following):
    server, file = following

    file.write_text(json.dumps(document(id="bad", status="done")))

    wait_until(lambda: "/status" in server.log)  # it may have been read half-written before
    assert "still serving the previous fixtures" in server.log
    assert served_id(server) == "first"
    assert "mine.json" in server.log
    assert "Traceback" not in server.log


def test_after_a_bad_change_a_good_one_is_served(following):
    server, file = following
    file.write_text("{")
    wait_until(lambda: "still serving the previous fixtures" in server.log)

    file.write_text(json.dumps(document(id="corrected")))

    wait_until(lambda: served_id(server) == "corrected")


def test_a_new_file_appears_and_a_removed_one_goes(following):
    server, file = following

    (file.parent / "more.json").write_text(json.dumps(document(run_id="run_more")))
    more = PATH.replace("run_mine", "run_more")
    wait_until(lambda: httpx.get(server.url + more, headers=DEMO).status_code == 200)
    file.unlink()

    wait_until(lambda: httpx.get(server.url + PATH, headers=DEMO).status_code == 404)


@pytest.mark.slow
def test_no_response_is_of_the_old_documents_after_one_of_the_new(start_server, tmp_path):
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(document(id="before")))
    server = start_server("--fixtures", str(tmp_path), "--reload")

    for number in range(3):
        wanted = f"number {number}"

        def is_taken_over(wanted=wanted) -> bool:
            file.write_text(json.dumps(document(id=wanted)))
            return served_id(server) == wanted

        wait_until(is_taken_over)
        with ThreadPoolExecutor(9) as pool:
            assert set(pool.map(lambda _: served_id(server), range(45))) == {wanted}


def served_id(server) -> str:
    return httpx.get(server.url + PATH, headers=DEMO).json()["data"]["id"]


def wait_until(is_true, seconds: float = 15) -> None:
    """Fail unless the condition becomes true in time."""
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.1)


def test_a_restart_serves_the_documents_of_its_own_folders(tmp_path, clock):
    folder = tmp_path / "documents"
    folder.mkdir()
    file = folder / "mine.json"
    state = tmp_path / "state.sqlite"

    def serve(*folders):
        settings = Settings(fixtures=folders, state=state)
        return Service(settings, load_executions(folders), clock)

    def served(service):
        found = service.snapshot().find("wf_mine", "run_mine")
        return found and found.execution["id"]

    file.write_text(json.dumps(document(id="first")))
    service = serve(folder)
    service.change("", "chaos", {"value": "maintenance"})
    file.write_text(json.dumps(document(id="second")))
    reload_executions(service, [folder])
    reloaded = served(service)
    service.close()
    file.write_text(json.dumps(document(id="third")))

    again = serve(folder)
    third = served(again)
    again.close()
    bare = serve()

    assert (reloaded, third, served(bare)) == ("second", "third", None)
    assert bare.session().chaos == "maintenance"
    bare.close()


class SlowToRead(LoadedExecutions):
    """Documents that are replaced during a request."""

    def all_executions(self):
        yield from super().all_executions()
        if self.while_read is not None:
            self.while_read()

    while_read = None


def test_a_scenario_that_was_being_made_in_a_reload_is_made_anew(clock):
    old = SlowToRead([ServedDocument(document(id="old"), "old.json")])
    service = Service(Settings(), old, clock)
    scenario = {"summary": "x"}
    beginning = {"name": "x", "document": scenario, "began": clock.now().isoformat()}
    service.change("", "scenario", beginning)
    new = LoadedExecutions([ServedDocument(document(id="new"), "new.json")])
    old.while_read = lambda: service.use(new)

    service.snapshot()  # reads the old documents until the new ones are in use

    assert service.snapshot().find("wf_mine", "run_mine").execution["id"] == "new"


def test_a_changed_workflow_is_taken_over_and_an_equal_document_is_no_repetition(tmp_path, clock):
    workflow = {**load_workflows()[0], "id": "wf_mine", "name": "First"}
    recorded = load_recordings()[0].execution
    (tmp_path / "run.json").write_text(json.dumps([document(), recorded]))
    (tmp_path / "workflow.json").write_text(json.dumps(workflow))
    service = Service(Settings(fixtures=(tmp_path,)), load_executions([tmp_path]), clock)

    def name() -> str:
        return service.snapshot().workflow("wf_mine")["name"]

    first = name()
    (tmp_path / "workflow.json").write_text(json.dumps({**workflow, "name": "Second"}))
    reload_executions(service, [tmp_path])

    assert (first, name()) == ("First", "Second")


def test_two_folders_with_different_workflows_of_one_id_are_refused(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        workflow = {**load_workflows()[0], "id": "wf_mine", "name": name}
        (tmp_path / name / "workflow.json").write_text(json.dumps(workflow))

    with pytest.raises(StartError, match=r"b.workflow\.json: workflow 'wf_mine' differs"):
        load_executions([tmp_path / "a", tmp_path / "b"])


def test_a_workflow_without_runs_is_served_and_a_scenario_shows_those_of_its_runs(tmp_path, clock):
    for workflow_id in ("wf_mine", "wf_empty"):
        workflow = {**load_workflows()[0], "id": workflow_id}
        (tmp_path / f"{workflow_id}.json").write_text(json.dumps(workflow))
    (tmp_path / "run.json").write_text(json.dumps(document()))
    served = load_executions([tmp_path])

    plain = Service(Settings(), served, clock).snapshot()
    service = Service(Settings(), served, clock)
    body = {"name": "x", "document": {"summary": "x"}, "began": clock.now().isoformat()}
    service.change("", "scenario", body)
    in_scenario = service.snapshot()

    assert plain.workflow("wf_empty")["execution_count"] == 0
    assert in_scenario.workflow("wf_mine")["workflow"] == load_workflows()[0]["workflow"]
    assert in_scenario.workflow("wf_empty") is None
