"""The pages under /__mock/ui/ as HTTP: policies, caching, errors, and servers without them."""

import json
import re

import httpx
import pytest

from deadringer.fixtures import load_recordings
from deadringer.mockserver import Settings
from deadringer.mockserver.app import build_app

RUNS = "/__mock/ui/runs"


def test_every_page_forbids_what_is_inline_or_from_elsewhere(keyless):
    for path in ("/__mock/ui/", RUNS, f"{RUNS}/a/b", "/__mock/ui/assets/x/trace.js"):
        headers = keyless.get(path).headers

        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_no_page_holds_inline_script_or_style(keyless):
    for path in (RUNS, f"{RUNS}/wf_abc123/run_x7k9m2"):
        text = keyless.get(path).text

        assert not re.search(r"\son\w+=|\sstyle=|<style", text)
        assert re.findall(r"<script(?![^>]*(src=|application/json))", text) == []


def test_an_asset_of_this_version_may_be_kept_and_another_may_not(keyless):
    page = keyless.get(RUNS).text
    (path,) = re.findall(r'"(/__mock/ui/assets/[^"]+/design\.css)"', page)

    current = keyless.get(path)
    stale = keyless.get(re.sub(r"assets/[^/]+", "assets/0", path))

    assert "immutable" in current.headers["cache-control"]
    assert current.headers["content-type"].startswith("text/css")
    assert "immutable" not in stale.headers.get("cache-control", "")
    assert keyless.get("/__mock/ui/assets/0/nothing.css").status_code == 404


@pytest.mark.parametrize("path", ["assets/0/../../../app.py", "assets/0/..%2f..%2fapp.py"])
def test_assets_are_nothing_but_assets(keyless, path):
    assert keyless.get(f"/__mock/ui/{path}").status_code in {404, 405}


@pytest.mark.parametrize(
    ("path", "message"),
    [("?workflow=nothing", "no such workflow"), ("/wf_abc123/nothing", "no such run")],
)
def test_what_is_not_there_is_a_page_too(keyless, path, message):
    response = keyless.get(RUNS + path)

    assert response.status_code == 404
    assert message in response.text
    assert response.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("query", ["from=-1", "from=x", "from=99999999999999999999", "before=x"])
def test_odd_queries_are_borne(keyless, query):
    assert keyless.get(f"{RUNS}?{query}").status_code == 200


def test_without_the_control_api_there_are_no_pages(start_server):
    server = start_server("--no-control")

    assert httpx.get(server.url + RUNS).status_code == 404
    assert "/__mock" not in server.banner


@pytest.mark.parametrize("field", ["run_id", "workflow_id", "error"])
def test_half_a_character_keeps_no_page_from_being_shown(over_http, tmp_path, field):
    run = json.loads(
        json.dumps(next(one.execution for one in load_recordings() if one.execution["error"]))
    )
    run["run_id"] = "run_half"
    run[field] += "\ud800"
    (tmp_path / "run.json").write_text(json.dumps(run), "utf-8")
    mock = over_http(build_app(Settings(fixtures=(tmp_path,), empty=True)))

    page = mock.get(RUNS)

    assert page.status_code == 200
    assert field == "error" or r"\ud800" in page.text


def test_the_banner_names_the_pages(server, keyless):
    link = re.search(r"\S+/__mock/ui/\S+", server.banner)[0]

    assert keyless.get(link).status_code == 200


@pytest.mark.parametrize(("mode", "is_logged"), [("cors", False), ("navigate", True)])
def test_what_a_page_fetches_by_itself_is_not_logged(start_server, mode, is_logged):
    server = start_server()
    own = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": mode}
    httpx.get(f"{server.url}{RUNS}?text=fetched", headers=own).raise_for_status()
    server.stop()

    assert ("fetched" in server.log) is is_logged
