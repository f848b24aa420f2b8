"""Reads the executions to serve: the recordings and the user's own documents."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from fixtures import DocumentsError, load_documents, load_recordings

from .executions import Document, LoadedExecutions
from .start_errors import StartError


def load_executions(folders: Sequence[Path]) -> LoadedExecutions:
    """Give everything that can be served.

    Raises:
        StartError: if a folder or a document is bad, with file, place, reason and fix of each.
    """
    return with_recorded(list(_from_folders(folders)))


def load_documents_of(folders: Sequence[Path]) -> list[Document]:
    """Give the user's own executions, every one of them judged.

    Raises:
        StartError: if a folder or a document is bad, or two carry the same run id.
    """
    documents = list(_from_folders(folders))
    with_recorded(documents)
    return documents


def with_recorded(documents: Sequence[Document]) -> LoadedExecutions:
    """Give the recordings and some documents, as they can be served.

    Raises:
        StartError: if two carry the same run id.
    """
    return LoadedExecutions([*_recorded(), *documents])


def _recorded() -> Iterator[Document]:
    for recording in load_recordings():
        yield Document(
            recording.execution, str(recording.path), name=recording.name, story=recording.story
        )


def _from_folders(folders: Sequence[Path]) -> Iterator[Document]:
    problems: list[str] = []
    for folder in folders:
        try:
            for document in load_documents(folder):
                yield Document(document.execution, str(document.path))
        except DocumentsError as problem:
            problems.append(str(problem))
    if problems:
        raise StartError("\n".join(problems))
