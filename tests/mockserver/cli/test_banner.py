"""What `serve` prints can be copied and works."""

import shlex
from pathlib import Path

from deadringer.mockserver.cli.banner import banner
from deadringer.mockserver.config import Settings
from deadringer.mockserver.world.documents import NamedRun


def test_the_printed_curl_trusts_the_certificate_of_ones_own() -> None:
    run = NamedRun("one", "a story", "completed", "wf_1", "run_1")
    certificate = Path("my certs/server.pem")
    text = banner("https://localhost:1", Settings(ssl_certfile=certificate), [run])

    (line,) = [one for one in text.splitlines() if one.lstrip().startswith("curl")]
    assert shlex.split(line)[1:3] == ["--cacert", str(certificate)]
