"""The folders of the benchmarks."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PEERS = HERE / ".peers"
"""Installed peers; ignored by git."""
NODE_MODULES = PEERS / "npm" / "node_modules"
PEER_PYTHON = PEERS / "python" / "bin" / "python"
SCRIPTS = HERE / "peers"
RESULTS = HERE / "results"
COMMAND = str(Path(sys.executable).parent / "deadringer")
