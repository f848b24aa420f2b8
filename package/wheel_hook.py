"""Build hook: add `openapi.yaml` and its parsed form to the wheel."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_NAME = "openapi.yaml"


class ParsedSpecification(BuildHookInterface[Any]):
    """Write the parsed specification and add it to the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the parsed specification, except for editable builds, which cache it themselves."""
        if version == "editable":
            return
        sys.path.insert(0, str(Path(self.root) / "package"))
        from deadringer.contracts.parsed_yaml import written

        content = written((Path(self.root) / _NAME).read_text("utf-8"))
        assert content is not None, f"{_NAME} contains values that JSON cannot represent"
        self._folder = TemporaryDirectory()
        path = Path(self._folder.name) / f"{_NAME}.json"
        path.write_text(content, "utf-8")
        build_data["force_include"][str(Path(self.root) / _NAME)] = f"deadringer/contracts/{_NAME}"
        build_data["force_include"][str(path)] = f"deadringer/contracts/{path.name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the written file."""
        if version != "editable":
            self._folder.cleanup()
