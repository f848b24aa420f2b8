"""Files that people hand over: any Unicode, bounded, never blocking."""

import codecs
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deadringer.contracts.input_files import (
    InputFileError,
    decoded,
    json_files,
    read_file,
    read_text_file,
)

TEXT = '{\r\n"name": "é 🎉"}\r\n'


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-32"),
    ],
)
def test_every_unicode_encoding_is_read(tmp_path, content):
    path = tmp_path / "one.json"
    path.write_bytes(content)

    assert decoded(content) == read_text_file(path) == TEXT


def test_other_bytes_are_refused_with_their_place():
    with pytest.raises(InputFileError, match="not UTF-8 at byte 2"):
        decoded(b"{}\xff")


def test_a_file_is_read_up_to_a_limit(tmp_path):
    path = tmp_path / "large.json"
    path.write_bytes(b"x" * 11)

    assert len(read_file(path, largest=11)) == 11
    with pytest.raises(InputFileError, match="more than 10 bytes"):
        read_file(path, largest=10)


def test_files_are_read_where_only_pipes_can_be_set_blocking(tmp_path):
    """On Windows there is no O_NONBLOCK, and `os.set_blocking` (3.12) takes pipes only."""
    (tmp_path / "one.json").write_text("{}")
    code = (
        "import os, pathlib, sys\n"
        "def set_blocking(descriptor, blocking): raise OSError(22, 'Invalid argument')\n"
        "os.set_blocking = set_blocking\n"
        "vars(os).pop('O_NONBLOCK', None)\n"
        "from deadringer.contracts.input_files import read_file\n"
        "print(read_file(pathlib.Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "one.json")]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)

    assert (done.stdout.strip(), done.stderr) == (b"b'{}'", b"")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_never_blocks(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")

    with pytest.raises(InputFileError, match="named pipe"):
        read_file(tmp_path / "pipe.json")


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="no /dev/fd here")
def test_a_pipe_that_was_handed_over_is_read():
    code = (
        "from pathlib import Path; from deadringer.contracts.input_files import read_file;"
        "print(read_file(Path('/dev/fd/0')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=b"[1]", capture_output=True, check=True, timeout=60
    )

    assert done.stdout.strip() == b"b'[1]'"


def test_what_is_not_meant_is_passed_over_with_the_reason(tmp_path):
    (tmp_path / "b.json").write_text("{}")
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "._b.json").write_text("junk")
    (tmp_path / "notes.txt").write_text("junk")
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "0-link.json").symlink_to("b.json")
    (tmp_path / "lost.json").symlink_to("nowhere")
    (tmp_path / "loop.json").symlink_to("loop.json")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(os.path.relpath(tmp_path / "socket.json"))

    found, left = json_files(tmp_path)

    assert [path.name for path in found] == ["a.json", "b.json"]
    reasons = {one.path.name: one.reason for one in left}
    assert reasons.keys() == {
        "._b.json",
        "notes.txt",
        "folder.json",
        "0-link.json",
        "lost.json",
        "loop.json",
        "socket.json",
    }
    assert reasons["0-link.json"] == "a link to b.json, which is read already"
    assert reasons["lost.json"].startswith("a link that leads nowhere")


def test_a_link_out_of_the_folder_is_followed(tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "one.json").write_text("{}")
    (tmp_path / "runs" / "linked.json").symlink_to("../one.json")

    found, left = json_files(tmp_path / "runs")

    assert ([path.name for path in found], left) == (["linked.json"], [])
