"""Brings `openapi.yaml`, as written and parsed, into the wheel; it is no part of it itself."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_NAME = "openapi.yaml"


class ParsedSpecification(BuildHookInterface[Any]):
    """Writes what a start would parse, and adds it to what is packed."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write it, unless the build is an editable one, whose starts keep it themselves."""
        if version == "editable":
            return
        sys.path.insert(0, str(Path(self.root) / "package"))
        from deadringer.contracts.parsed_yaml import written

        content = written((Path(self.root) / _NAME).read_text("utf-8"))
        assert content is not None, f"{_NAME} holds what JSON cannot repeat"
        self._folder = TemporaryDirectory()
        path = Path(self._folder.name) / f"{_NAME}.json"
        path.write_text(content, "utf-8")
        build_data["force_include"][str(Path(self.root) / _NAME)] = f"deadringer/contracts/{_NAME}"
        build_data["force_include"][str(path)] = f"deadringer/contracts/{path.name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was written."""
        if version != "editable":
            self._folder.cleanup()
