"""The folder of a recording: one HAR file, and the documents that `serve --fixtures` reads."""

import json
import os
import re
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path

from deadringer.contracts import (
    Json,
    JsonError,
    JsonObject,
    exact_json_bytes,
    json_bytes,
    read_json,
)
from deadringer.contracts.check import ReportError, write_atomically
from deadringer.contracts.documents import is_har
from deadringer.contracts.input_files import InputFileError, read_text_file
from deadringer.mockserver.exceptions import StartError

from .replay import RECORDING_FILE

MANIFEST = "_recording"
"""Member of `log`: what deadringer has to know about its own recording."""
_LONGEST_NAME = 80
_OTHER = re.compile(r"[^A-Za-z0-9_.-]")


class RecordingFolder:
    """A folder that holds one recording and nothing else; it writes each file atomically."""

    def __init__(self, folder: Path) -> None:
        """Create the folder, or take over that of an earlier recording.

        Raises:
            StartError: if it holds other files, or cannot be created or written.
        """
        self.path = folder
        self._written: dict[str, bytes] = {}
        """The hash of each file."""
        self._earlier = self._prepared()

    @property
    def replaces(self) -> bool:
        """Whether an earlier recording is there, which the first write replaces."""
        return bool(self._earlier)

    def write(self, har: JsonObject, documents: Mapping[str, Json]) -> None:
        """Write the HAR and a file for each document; remove files that are not in it any more.

        Raises:
            ReportError: if a file cannot be written; the next call tries again.
        """
        names = {f"{name}.json": document for name, document in documents.items()}
        old = self._earlier | self._written.keys()
        # The list first: after a crash no file is there that no recording lists.
        listed = sorted({*names, *old} - {RECORDING_FILE})
        self._put(RECORDING_FILE, _text(_listing(har, listed)))
        for name, document in names.items():
            self._put(name, _text(document))
        gone = old - names.keys() - {RECORDING_FILE}
        for name in gone:
            self._remove(self.path / name)
            self._written.pop(name, None)
        if gone:
            self._put(RECORDING_FILE, _text(_listing(har, sorted(names))))
        self._earlier = set()

    def _put(self, name: str, text: str) -> None:
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if self._written.get(name) != digest:
            write_atomically(self.path / name, text)
            self._written[name] = digest

    def _remove(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as problem:
            raise ReportError(
                f"{path} cannot be removed: {problem.strerror or problem}. Remove it yourself."
            ) from problem

    def _prepared(self) -> set[str]:
        """Return the names of an earlier recording's files."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            entries = {one.name for one in self.path.iterdir() if not one.name.startswith(".")}
        except OSError as problem:
            raise StartError(
                f"{self.path}: {problem.strerror or problem}. Specify a folder for the recording."
            ) from problem
        if not os.access(self.path, os.W_OK):
            raise StartError(f"{self.path}: it is not writable. Specify another folder.")
        earlier = _earlier_files(self.path) & entries if entries else set()
        others = sorted(entries - earlier)
        if others:
            raise StartError(
                f"{self.path}: it holds {others[0]}, which is not part of a recording. "
                "Specify an empty folder, or remove what is in it."
            )
        return earlier


def file_names(prefix: str, ids: Iterable[str]) -> dict[str, str]:
    """Return a file name without its ending for each id, such as `execution-run_x7k9m2`.

    Names differ in more than case. Of other characters than letters, digits and `_.-` each becomes
    `_`, and the name gets a hash of the id.
    """
    taken: set[str] = set()
    names: dict[str, str] = {}
    for one in ids:
        name = _OTHER.sub("_", one)[:_LONGEST_NAME]
        if name != one or name.casefold() in taken:
            digest = blake2b(one.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
            name = f"{name}-{digest}"
        taken.add(name.casefold())
        names[one] = f"{prefix}-{name}"
    return names


def _listing(har: JsonObject, names: list[str]) -> JsonObject:
    log = har["log"]
    rest = {name: log[name] for name in log if name != "entries"}
    return {"log": {**rest, MANIFEST: {"files": names}, "entries": log["entries"]}}


def _earlier_files(folder: Path) -> set[str]:
    try:
        har = read_json(read_text_file(folder / RECORDING_FILE))
    except (InputFileError, JsonError):
        return set()
    manifest = har["log"].get(MANIFEST) if is_har(har) else None
    files = manifest.get("files") if isinstance(manifest, dict) else None
    if not isinstance(files, list):
        return set()
    return {RECORDING_FILE, *(one for one in files if isinstance(one, str))}


def _text(value: Json) -> str:
    """Return indented JSON; where numbers need their own digits, compact JSON."""
    exact = exact_json_bytes(value)
    if exact != json_bytes(value):
        return exact.decode() + "\n"
    return json.dumps(value, ensure_ascii=False, indent=2, check_circular=False) + "\n"
