"""Options about the way to a server are refused with a reason, and never with their secrets."""

import json
import os
from base64 import b64encode
from pathlib import Path

import pytest

from deadringer.contracts.check import (
    Access,
    AccessError,
    CheckOptions,
    OptionError,
    read_header,
    read_key,
)
from deadringer.contracts.check.access import (
    httpcore_proxy,
    proxy_for,
    read_header_name,
    ssl_context_of,
    without_credentials,
)
from deadringer.contracts.redaction import SecretRedactor

from .small_server import KEY


@pytest.mark.parametrize(
    ("url", "no_proxy", "goes"),
    [
        ("http://api.test", "", True),
        ("http://api.test", "other.test", True),
        ("http://api.test", "api.test", False),
        ("http://a.api.test", ".api.test", False),
        ("http://a.api.test", "api.test", False),
        ("http://myapi.test", "api.test", True),
        ("http://api.test", "*", False),
        ("http://api.test:8080", "api.test:8080", False),
        ("http://api.test:8081", "api.test:8080", True),
        ("http://10.1.2.3", "10.0.0.0/8", False),
        ("http://127.0.0.1:4010", "", False),
        ("http://localhost", "", False),
        ("http://[::1]:80", "", False),
    ],
)
def test_no_proxy_is_honoured(
    monkeypatch: pytest.MonkeyPatch, url: str, no_proxy: str, goes: bool
) -> None:
    monkeypatch.setenv("http_proxy", "proxy.test:3128")
    monkeypatch.setenv("no_proxy", no_proxy)

    assert (proxy_for(url, Access()) == "http://proxy.test:3128") is goes


@pytest.mark.parametrize("password", ["a/secret99", "a#secret99", "a?secret99", "a@secret99"])
def test_a_password_of_a_proxy_may_hold_any_sign_and_is_a_secret(
    monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://me:{password}@proxy.test:3128/")
    proxy = proxy_for("http://api.test", Access())
    assert proxy is not None
    found = httpcore_proxy(proxy)
    sent = b64encode(f"me:{password}".encode()).decode()
    redactor = SecretRedactor([], others=Access().secrets())

    assert (found.url.host, found.url.port) == (b"proxy.test", 3128)
    assert (b"Proxy-Authorization", f"Basic {sent}".encode()) in found.headers
    assert without_credentials(proxy) == "http://proxy.test:3128"
    assert redactor(f"got {password}, {sent}.") == "got ***, ***."
    assert Access(uses_proxy=False).secrets() == frozenset()


@pytest.mark.parametrize("proxy", ["http://me:secret99@proxy.test:port", "http://me:secret99@[x"])
def test_a_proxy_that_is_no_url_is_refused_without_its_password(proxy: str) -> None:
    with pytest.raises(AccessError, match="is not supported") as problem:
        httpcore_proxy(proxy)
    assert "secret99" not in str(problem.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://:secret99@h",
        "http://me:secret99@h",
        "http://me:a/secret99@h",
        "http://me:a#secret99@h",
        "http://me:a?secret99@h",
        "me:secret99@h",
        "ftp://me:secret99@h:x",
    ],
)
def test_a_base_url_with_a_password_is_refused_without_it(url: str) -> None:
    with pytest.raises(OptionError, match="BASE_URL") as problem:
        CheckOptions(url, KEY)
    assert "secret99" not in str(problem.value)


@pytest.mark.parametrize("url", ["http://h:port", "http://[h"])
def test_a_base_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(OptionError, match=r"BASE_URL .* is not a URL"):
        CheckOptions(url, KEY)


@pytest.mark.parametrize(
    "text",
    ["Authorization Bearer sk_live_123", "x-key=sk_live_123", "sk_live_123", "x y: sk_live_123"],
)
def test_a_mistyped_header_is_refused_without_its_value(text: str) -> None:
    with pytest.raises(AccessError, match="is not NAME:VALUE") as problem:
        read_header(text)
    assert "sk_live" not in str(problem.value)


def test_a_mistyped_name_for_the_key_is_refused_without_its_value() -> None:
    with pytest.raises(AccessError, match="'Authorization'") as problem:
        read_header_name("Authorization: Bearer sk_live_123")
    assert "sk_live" not in str(problem.value)


@pytest.mark.parametrize("name", ["Host", "Accept-Encoding", "Content-Type"])
def test_a_header_that_the_check_sets_is_refused(name: str) -> None:
    with pytest.raises(AccessError, match="The check sets it itself"):
        read_header(f"{name}: x")


@pytest.mark.parametrize(
    "options",
    [
        {"bearer": True, "headers": (("authorization", "x"),)},
        {"key_header": "x-key", "headers": (("x-key", "x"),)},
    ],
)
def test_a_header_that_would_replace_the_key_is_refused(options: dict) -> None:
    with pytest.raises(AccessError, match="set the same header"):
        Access(**options)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_authorities_from_a_named_pipe_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "ca.pem")

    with pytest.raises(AccessError, match=r"--ca-file .* named pipe"):
        ssl_context_of(Access(ca_file=tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with pytest.raises(AccessError, match=r"SSL_CERT_FILE .* named pipe"):
        ssl_context_of(Access())


@pytest.mark.parametrize("text", [f"{KEY}\n", f"{KEY}\r\n", f" {KEY}", f"\ufeff{KEY}"])
def test_what_is_around_a_key_is_removed_with_a_note(text: str) -> None:
    key, note = read_key(text)

    assert key == KEY
    assert note


@pytest.mark.parametrize(
    ("text", "place"),
    [("trig_a\nb", "U+000A at position 7"), ("trig_ü", "U+00FC at position 6"), ("a b", "U+0020")],
)
def test_a_key_that_no_header_can_hold_is_named_as_the_trouble(text: str, place: str) -> None:
    with pytest.raises(OptionError, match="the key holds the character") as problem:
        CheckOptions("http://127.0.0.1:1", text)

    assert place in str(problem.value)
    assert text not in str(problem.value)


@pytest.mark.parametrize(
    "text",
    ["x-gate", ": open", "x gate: open", "x-gate: a\nb", "x-api-key: k", "Content-Length: 1"],
)
def test_what_is_no_header_is_refused(text: str) -> None:
    with pytest.raises(AccessError, match="--header"):
        read_header(text)


def test_a_header_is_read_as_curl_does() -> None:
    assert read_header("X-Gate:a: b ") == ("x-gate", "a: b")
    assert read_header("X-Empty:") == ("x-empty", "")


@pytest.mark.parametrize(
    ("value", "hidden"),
    [
        ("Basic bWU6aHVudGVyMi1sb25n", ["bWU6aHVudGVyMi1sb25n", "hunter2-long", "me:hunter2-long"]),
        ("Bearer abc.def.ghi", ["abc.def.ghi"]),
        ("session=s3cret-cookie; theme=dark", ["s3cret-cookie"]),
        ("short", ["short"]),
        ('{"token":"sk_live_abcdef123"}', ["sk_live_abcdef123"]),
        ('{"a":["inner\\\\secret"]}', ["inner\\secret"]),
        ("back\\slash-secret-99", ["back\\slash-secret-99"]),
        ('a="quotedsecret99"; sid=other-secret', ["quotedsecret99", "other-secret"]),
        ('a="one;secret,more"', ["one;secret,more"]),
        (
            'Digest username="bobby77", response="6629fae49393a053"',
            ["bobby77", "6629fae49393a053"],
        ),
        ("a/b+c==secret", ["a%2Fb%2Bc%3D%3Dsecret"]),
    ],
)
def test_every_part_of_a_headers_value_is_hidden(value: str, hidden: list[str]) -> None:
    redactor = SecretRedactor([], others=Access(headers=(("x-any", value),)).secrets())

    for secret in hidden:
        assert secret not in redactor(f"it holds {secret}, twice: {secret}.")
    echoed = json.dumps([value, *hidden])
    for secret in hidden:
        assert secret not in redactor(echoed)
        assert json.dumps(secret)[1:-1] not in redactor(echoed)
    assert redactor("shortage") == "shortage"
