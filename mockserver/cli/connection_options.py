"""Options about the way to a server, the same for every command that asks one."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .grouped import Decorated

if TYPE_CHECKING:
    from deadringer.contracts.check import Access


def connection_options(option: Callable[..., Any]) -> Callable[[Decorated], Decorated]:
    """Return a decorator that adds the options; `option` is the `section` they stand in."""
    options = (
        option("--key-header", metavar="NAME",
               help="Send the key in this header, not in x-api-key."),
        option("--bearer", is_flag=True, help="Send the key as Authorization: Bearer."),
        option("--header", "-H", "headers", multiple=True, metavar="NAME:VALUE",
               help="Also send this header; repeatable. Reports hide its value."),
        option("--ca-file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
               help="Trust these certificates (PEM) instead of SSL_CERT_FILE."),
        option("--insecure", is_flag=True, help="Trust every certificate."),
        option("--no-proxy", is_flag=True,
               help="Ignore HTTP_PROXY, HTTPS_PROXY and ALL_PROXY."),
    )  # fmt: skip

    def decorate(command: Decorated) -> Decorated:
        for one in reversed(options):  # decorators list their options from the last to the first
            command = one(command)
        return command

    return decorate


def access_from(parameters: dict[str, Any]) -> "Access":
    """Take the options about the way to a server out of the parameters of a command.

    Raises:
        AccessError: if one of them cannot be used.
        OptionError: if two contradict each other.
    """
    from deadringer.contracts.check import (  # --help needs none of it
        KEY_HEADER,
        Access,
        OptionError,
        read_header,
        read_header_name,
    )

    name, bearer = parameters.pop("key_header", None), parameters.pop("bearer", False)
    if name and bearer:
        raise OptionError(
            "--key-header and --bearer both name where the key is sent. Leave one out."
        )
    ca_file, insecure = parameters.pop("ca_file"), parameters.pop("insecure")
    if ca_file and insecure:
        raise OptionError("--insecure trusts every certificate. Leave it or --ca-file out.")
    return Access(
        headers=tuple(read_header(one) for one in parameters.pop("headers")),
        key_header=read_header_name(name) if name else KEY_HEADER,
        bearer=bearer,
        ca_file=ca_file,
        insecure=insecure,
        uses_proxy=not parameters.pop("no_proxy"),
    )
