"""What commands print fits any encoding, steers no terminal, and survives a closed pipe."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deadringer.contracts import load_schema
from deadringer.contracts.check import CheckOptions, run_check, write_report
from tests.contracts.check.small_server import KEY, Reply, respond_correctly, serving

EXAMPLE = load_schema("execution")["examples"][0]
UNSAFE = "\x1b[31m \x9b2J \u202e \ud800 完"


def run(*arguments: str, encoding: str = "utf-8") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "deadringer", *arguments],
        capture_output=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": encoding},
    )


def test_json_stays_json_in_a_narrow_encoding() -> None:
    wide = run("examples", "many_scripts_and_emoji")
    narrow = run("examples", "many_scripts_and_emoji", encoding="cp1252")

    assert (narrow.returncode, narrow.stderr) == (0, b"")
    assert json.loads(narrow.stdout.decode("cp1252")) == json.loads(wide.stdout)
    assert narrow.stdout != wide.stdout


@pytest.mark.parametrize("form", ["text", "json", "github"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_what_a_document_holds_steers_nothing(tmp_path: Path, form: str, encoding: str) -> None:
    document = {**EXAMPLE, "status": UNSAFE, "steps": [{UNSAFE: 1}, *EXAMPLE["steps"]]}
    path = tmp_path / "odd.json"
    path.write_text(json.dumps(document))

    done = run("validate", "--strict", "--format", form, str(path), encoding=encoding)

    assert (done.returncode, done.stderr) == (1, b"")
    printed = done.stdout.decode(encoding)
    assert not set(printed) & set("\x1b\x9b\u202e")
    if form == "json":
        *lines, _summary = map(json.loads, printed.splitlines())
        assert any(UNSAFE in line["pointer"] or "u001b" in line["got"] for line in lines)


def test_a_closed_pipe_is_no_error() -> None:
    done = subprocess.run(
        f"{sys.executable} -m deadringer examples many_scripts_and_emoji | true;"
        "echo ${PIPESTATUS[0]}",
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.parametrize("form", ["text", "json", "junit", "html", "markdown", "sarif"])
def test_what_a_server_sends_is_escaped_in_every_report(tmp_path: Path, form: str) -> None:
    def unsafe(path: str, key: str) -> Reply:
        status, body = respond_correctly(path, key)
        if status == 200:
            response = json.loads(body)
            response["data"]["status"] = UNSAFE
            response["data"]["steps"][0][UNSAFE] = UNSAFE
            body = json.dumps({**response, "message": {UNSAFE: UNSAFE}}).encode()
        return status, body

    with serving(unsafe) as small:
        options = CheckOptions(
            small.url, KEY, ("wf_abc123",), ("run_x7k9m2",), quick=True, watch_s=0
        )
        report = run_check(options)
    write_report(report, f"{form}={tmp_path / form}")

    text = (tmp_path / form).read_text("utf-8")
    assert not set(text) & set("\x1b\x9b\u202e")
    assert "message_is_a_text" in text
