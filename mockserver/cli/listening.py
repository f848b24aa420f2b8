"""Where `deadringer serve` listens, and with which certificate."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from deadringer.contracts.input_files import InputFileError, open_descriptor
from deadringer.mockserver.config import Settings
from deadringer.mockserver.exceptions import StartError
from deadringer.mockserver.server import (
    BindError,
    Certificate,
    bind,
    bind_path,
    check_certificate,
    take_over,
)

if TYPE_CHECKING:
    from socket import socket


def validate_listening(settings: Settings) -> None:
    """Validate that the settings name one place to listen, and at most one certificate.

    Raises:
        StartError: if they do not.
    """
    if settings.uds is not None and settings.fd is not None:
        raise StartError("Settings uds and fd both name a place to listen. Leave one out.")
    if settings.ssl_keyfile is not None and settings.ssl_certfile is None:
        raise StartError("Setting ssl-keyfile: there is no certificate. Add --ssl-certfile FILE.")
    if settings.tls and settings.ssl_certfile is not None:
        raise StartError("Settings tls and ssl-certfile both set a certificate. Leave one out.")


@contextmanager
def listening(settings: Settings) -> "Iterator[list[socket]]":
    """Yield the sockets to serve; the file of a Unix socket is removed afterwards.

    Only the file that was made here is: another process may have replaced it.

    Raises:
        StartError: if they cannot be opened.
    """
    listeners = _listen(settings)
    made = settings.uds and _identity(settings.uds)
    try:
        yield listeners
    finally:
        if settings.uds is not None and made is not None and _identity(settings.uds) == made:
            settings.uds.unlink(missing_ok=True)


def _identity(path: Path) -> tuple[int, int] | None:
    """Return the device and inode of a file, None if there is no file."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _listen(settings: Settings) -> "list[socket]":
    try:
        if settings.uds is not None:
            return bind_path(settings.uds)
        if settings.fd is not None:
            return take_over(settings.fd)
        return bind(settings.host, settings.port)
    except BindError as problem:
        raise StartError(str(problem)) from problem


@contextmanager
def certificate_for(settings: Settings) -> Iterator[Certificate | None]:
    """Yield the certificate to serve with, None for plain HTTP; a new one is deleted afterwards.

    Raises:
        StartError: if there is none, or it cannot be used.
    """
    if settings.tls:
        with tempfile.TemporaryDirectory(prefix="deadringer-tls-") as folder:
            yield _made(settings, Path(folder))
    elif settings.ssl_certfile is not None:
        certificate = Certificate(settings.ssl_certfile, settings.ssl_keyfile)
        _require_files(settings)
        try:
            check_certificate(certificate)
        except BindError as problem:
            raise StartError(str(problem)) from problem
        yield certificate
    else:
        yield None


def _require_files(settings: Settings) -> None:
    """Raise if a file of the certificate would block for ever, as a named pipe does."""
    for name in ("ssl_certfile", "ssl_keyfile"):
        path: Path | None = getattr(settings, name)
        try:
            if path is not None:
                os.close(open_descriptor(path))
        except InputFileError as error:
            option = name.replace("_", "-")
            raise StartError(f"Setting {option}: cannot use {path}: {error}.") from error
        except OSError:
            return  # check_certificate reports it


def _made(settings: Settings, folder: Path) -> Certificate:
    try:
        import trustme
    except ImportError:
        raise StartError(
            "Setting tls: the package trustme is missing. Install it with "
            "pip install trustme, or use your own certificate: --ssl-certfile FILE."
        ) from None
    names = {"localhost", "127.0.0.1", "::1", settings.host.strip("[]"), *settings.allowed_hosts}
    authority = trustme.CA(organization_name="deadringer")
    issued = authority.issue_cert(*sorted(names - {"0.0.0.0", "::"}))  # noqa: S104 (left out)
    made, trusted = folder / "server.pem", folder / "ca.pem"
    issued.private_key_and_cert_chain_pem.write_to_path(made)
    authority.cert_pem.write_to_path(trusted)
    return Certificate(made, None, trusted)
