"""Certificates are refused early where opening them would block."""

import os
from pathlib import Path

import pytest

from deadringer.mockserver.cli.listening import certificate_for
from deadringer.mockserver.config import Settings
from deadringer.mockserver.exceptions import StartError


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_is_refused_as_certificate_and_as_key(tmp_path: Path) -> None:
    pipe, other = tmp_path / "pipe.pem", tmp_path / "other.pem"
    os.mkfifo(pipe)
    other.touch()

    for settings in (
        Settings(ssl_certfile=pipe),
        Settings(ssl_certfile=other, ssl_keyfile=pipe),
    ):
        with pytest.raises(StartError, match="named pipe"), certificate_for(settings):
            pass
