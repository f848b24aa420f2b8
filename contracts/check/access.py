"""How a check gets to its server: headers of its own, certificates, proxies, where the key goes."""

import ipaddress
import json
import os
import re
import shlex
import ssl
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment

import httpcore
import httpx

from deadringer.contracts.input_files import InputFileError, open_descriptor
from deadringer.contracts.json_types import Json
from deadringer.contracts.redaction import HIDDEN
from deadringer.contracts.violations import printable

KEY_HEADER = "x-api-key"
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\x20-\x7e\t]*")
_KEY = re.compile(r"[\x21-\x7e]+")
_QUOTED = re.compile(r'"([^"]*)"')
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection", "upgrade", "te"})
_OF_THE_CHECK = _FRAMING | {"host", "accept-encoding", "content-type"}


class AccessError(ValueError):
    """A header, key, certificate or proxy cannot be used; the message states which and why."""


@dataclass(frozen=True, slots=True)
class Access:
    """How requests are sent, apart from what they ask.

    `headers` are sent with every request, names in lower case; their values are secrets. The key
    is sent in `key_header`, or as a bearer token. `ca_file` is trusted instead of the usual
    authorities; without it SSL_CERT_FILE and SSL_CERT_DIR are. Proxies come from the environment.
    """

    headers: tuple[tuple[str, str], ...] = ()
    key_header: str = KEY_HEADER
    bearer: bool = False
    ca_file: Path | None = None
    insecure: bool = False
    uses_proxy: bool = True

    def __post_init__(self) -> None:
        """Validate that no header of our own replaces the key.

        Raises:
            AccessError: if one does.
        """
        option = "--bearer" if self.bearer else f"--key-header {self.key_header}"
        of_key = "authorization" if self.bearer else self.key_header
        if any(name == of_key for name, _ in self.headers):
            raise AccessError(
                f"--header {of_key} and {option} set the same header, and only one of them can be "
                "sent. Leave one out."
            )

    def sent(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return the headers as they are sent: the key where it belongs, and our own added."""
        wanted = dict(headers)
        key = wanted.pop(KEY_HEADER, None)
        if key is not None and self.bearer:
            wanted["authorization"] = f"Bearer {key}".strip()
        elif key is not None:
            wanted[self.key_header] = key
        return wanted | dict(self.headers)

    @property
    def takes_authorization(self) -> bool:
        """Whether a header of our own is Authorization, so that no request can vary it."""
        return any(name == "authorization" for name, _ in self.headers)

    def secrets(self) -> frozenset[str]:
        """Return what must be hidden: the values of our own headers, their parts, proxy passwords.

        Of each proxy of the environment these are the password, also with the user's name, and
        both as they are sent.
        """
        found = {one for _, value in self.headers for one in _secrets_in(value)}
        if self.uses_proxy:
            for proxy in getproxies_environment().values():
                found.update(_secrets_of_proxy(proxy))
        return frozenset(found)

    def curl_options(self) -> str:
        """Return the options a curl command needs besides, with values hidden."""
        words = [f"-H {shlex.quote(f'{name}: {HIDDEN}')}" for name, _ in self.headers]
        if self.insecure:
            words.append("--insecure")
        if self.ca_file is not None:
            words.append(f"--cacert {shlex.quote(str(self.ca_file))}")
        return "".join(f" {word}" for word in words)


def _secrets_in(value: str) -> Iterator[str]:
    yield value
    scheme, _, credentials = value.partition(" ")
    if credentials and scheme.isalpha():
        yield credentials.strip()
        if scheme.lower() == "basic":
            try:
                user, _, password = b64decode(credentials).decode().partition(":")
            except ValueError:
                return
            yield from (f"{user}:{password}", password)
    try:
        yield from _texts_in(json.loads(value))
    except (ValueError, RecursionError):
        yield from _QUOTED.findall(value)
    for pair in re.split("[;,]", value):
        _, separator, secret = pair.partition("=")
        if separator:
            yield secret.strip().strip('"')


def _texts_in(value: Json) -> Iterator[str]:
    """Yield every string of a JSON value, apart from names."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts_in(one)


def read_header(text: str) -> tuple[str, str]:
    """Return name, in lower case, and value of a header written NAME:VALUE.

    Raises:
        AccessError: if it is no header, or one that only the check itself can set.
    """
    name, separator, value = text.partition(":")
    name, value = name.strip().lower(), value.strip()
    if not separator or not _NAME.fullmatch(name):
        raise AccessError(f"--header {_first_word(text)} is not NAME:VALUE, such as 'x-env: test'.")
    if name == KEY_HEADER or name in _OF_THE_CHECK:
        fix = "Pass the key with --api-key." if name == KEY_HEADER else "The check sets it itself."
        raise AccessError(f"--header {name} cannot be sent. {fix}")
    if not _VALUE.fullmatch(value):
        raise AccessError(f"--header {name}: its value holds {_unsendable(value)}.")
    return name, value


def _first_word(text: str) -> str:
    """Return what may be shown of a mistyped header: a value may be a secret, so no other part."""
    word, *others = re.split(r"[\s=:]", text.strip(), maxsplit=1)
    return f"{printable(word)[:40]!r}…" if others else "(a text without a colon)"


def read_header_name(text: str) -> str:
    """Return a header's name in lower case.

    Raises:
        AccessError: if no header can have it.
    """
    name = text.strip().lower()
    if not _NAME.fullmatch(name) or name in _OF_THE_CHECK:
        raise AccessError(f"--key-header {_first_word(text)} is not the name of a header.")
    return name


def read_key(text: str) -> tuple[str, str]:
    """Return a key without surrounding blanks, and a note if some were removed; "" if none were.

    Raises:
        AccessError: if it is empty, or holds a character that no header can hold. The message
            does not show the key.
    """
    key = text.strip().removeprefix("\ufeff")
    if not key:
        raise AccessError("no key. Pass one with --api-key, or set DEADRINGER_API_KEY.")
    if not _KEY.fullmatch(key):
        raise AccessError(
            f"the key holds {_unsendable(key, _KEY)}, which no header can hold as part of a key. "
            "Copy it again."
        )
    if key == text:
        return key, ""
    what = "a line end" if "\n" in text or "\r" in text else "blanks"
    return key, f"{what} around the key was removed"


def _unsendable(text: str, allowed: re.Pattern[str] = _VALUE) -> str:
    place = next(at for at, sign in enumerate(text) if not allowed.fullmatch(sign))
    return f"the character U+{ord(text[place]):04X} at position {place + 1}"


def ssl_context_of(access: Access) -> ssl.SSLContext:
    """Return the context for TLS.

    Raises:
        AccessError: if a file of authorities cannot be used.
    """
    if access.insecure:
        return httpx.create_ssl_context(verify=False)
    place = access.ca_file or os.environ.get("SSL_CERT_FILE")
    try:
        if place:
            os.close(open_descriptor(Path(place)))  # a named pipe would block for ever
        if access.ca_file is not None:
            return ssl.create_default_context(cafile=str(access.ca_file))
        return httpx.create_ssl_context()
    except (OSError, InputFileError) as error:
        source = "--ca-file" if access.ca_file else "SSL_CERT_FILE"
        reason = getattr(error, "strerror", None) or error
        raise AccessError(
            f"{source} {place} cannot be used: {reason}. Name a PEM file of certificates."
        ) from error


def proxy_for(base_url: str, access: Access) -> str | None:
    """Return the URL of the proxy for a server, None if it is asked directly.

    HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY are read, in lower case first. This machine is
    always asked directly, as no proxy could reach it.
    """
    parts = urlsplit(base_url)
    proxies = getproxies_environment()
    found = proxies.get(parts.scheme) or proxies.get("all")
    host = parts.hostname or ""
    if not access.uses_proxy or not found or _is_loopback(host):
        return None
    port = parts.port or {"https": 443}.get(parts.scheme, 80)
    if any(_matches(one.strip().lower(), host, port) for one in proxies.get("no", "").split(",")):
        return None
    return found if "://" in found else f"http://{found}"


def _matches(entry: str, host: str, port: int) -> bool:
    """Return whether an entry of NO_PROXY names a host: `*`, a domain, an address or network."""
    name, separator, number = entry.rpartition(":")
    if separator and number.isascii() and number.isdecimal() and ":" not in name:
        entry = name if number == str(port) else ""
    if entry in {"", "*"}:
        return entry == "*"
    domain = entry.lstrip("*").lstrip(".")
    if host == domain or host.endswith(f".{domain}"):
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split_proxy(proxy: str) -> tuple[str, str]:
    """Return the URL of a proxy without its credentials, and these; a password may hold anything.

    Whatever precedes the last @ are credentials: `urlsplit` ends them at a /, ? or # already.
    """
    scheme, separator, rest = proxy.partition("://")
    if not separator:
        scheme, rest = "http", proxy
    credentials, _, place = rest.rpartition("@")
    return f"{scheme}://{re.split('[/?#]', place)[0]}", credentials


def _secrets_of_proxy(proxy: str) -> Iterator[str]:
    user, separator, password = _split_proxy(proxy)[1].partition(":")
    if not separator:
        return
    for pair in ((user, password), (unquote(user), unquote(password))):
        both = ":".join(pair)
        yield from (pair[1], both, b64encode(both.encode()).decode())


def without_credentials(proxy: str) -> str:
    """Return the URL of a proxy as it may be shown."""
    return _split_proxy(proxy)[0]


def httpcore_proxy(proxy: str) -> httpcore.Proxy:
    """Return a proxy as the connection pool takes it.

    Raises:
        AccessError: if its URL is none, or of a kind that is not supported.
    """
    url, credentials = _split_proxy(proxy)
    try:
        parts = urlsplit(url)
        is_url = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_url = False
    if not is_url or parts.scheme not in {"http", "https"}:
        raise AccessError(
            f"the proxy {printable(url)} of the environment is not supported: only "
            "http://HOST:PORT and https://HOST:PORT are. Use --no-proxy to ask the server directly."
        )
    auth = None
    if credentials:
        user, _, password = credentials.partition(":")
        auth = (unquote(user).encode(), unquote(password).encode())
    return httpcore.Proxy(url, auth=auth)
