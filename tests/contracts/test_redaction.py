"""One redactor hides secrets for reports, logs and the journal."""

import json
import subprocess

import pytest

from deadringer.contracts.redaction import SHORTEST_KEY, SecretRedactor

KEY = "trig_0123456789abcdefghij"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("so own-secret!", "so ***!"),
        ("own-secrex", "***x"),
        ("own-secret-2", "***"),
        ("own%26secret%2Fx", "***"),
        ("trig_0123456789abcdefg", "trig_***"),
        ("trig_short own", "trig_short own"),
    ],
)
def test_known_keys_near_ones_and_what_is_shaped_like_one_are_hidden(text, shown):
    assert SecretRedactor(["own-secret", "own-secret-2", "own&secret/x"])(text) == shown


def test_a_key_is_found_in_json_text_too():
    key = 'own"secret\\key'
    redactor = SecretRedactor([key])

    for sent in (key, key[:-1] + "x"):
        text = json.dumps({"key": sent})
        for shown in (redactor(text), redactor.word(text)):
            assert "secret" not in shown


def test_a_short_key_is_hidden_unless_the_user_of_the_redactor_says_otherwise():
    assert SecretRedactor(["abc"])("abc ab") == "*** ab"
    assert SecretRedactor(["abc"], shortest=SHORTEST_KEY)("abc ab") == "abc ab"


def test_json_is_searched_in_names_too():
    lenient = SecretRedactor(["a"], shortest=SHORTEST_KEY)
    assert lenient.json({"a": ["banana"]}) == {"a": ["banana"]}

    redactor = SecretRedactor([KEY])
    assert redactor.json({KEY: [f"so {KEY}!"], "n": 1}) == {"***": ["so ***!"], "n": 1}


def test_json_that_is_nested_too_deep_is_left_out():
    deep: list = []
    for _ in range(100_000):
        deep = [deep]

    assert SecretRedactor([KEY]).json(deep) is None


@pytest.mark.parametrize("sent", [KEY, KEY + "x", KEY[:-1] + "a", KEY[:-1], f"a {KEY} b'c $d", "n"])
def test_the_curl_line_still_sends_what_was_sent(sent):
    word = SecretRedactor([KEY]).word(sent)
    command = ["sh", "-c", f"printf %s {word}"]
    shown = subprocess.run(
        command, env={"DEADRINGER_API_KEY": KEY}, capture_output=True, text=True, check=True
    )

    assert shown.stdout == sent
    assert KEY[:-1] not in word


@pytest.mark.parametrize(
    ("path", "query", "shown"),
    [
        ("/a/b", "", "/a/b"),
        ("/a b\r\nGET /c", "", "/a%20b%0D%0AGET%20/c"),
        ("/ä", "x=1&y=ä", "/%C3%A4?x=1&y=%C3%A4"),
        ("/", "api_key=hello&page=2", "/?api_key=***&page=2"),
        ("/", "Access-Token=hello", "/?Access-Token=***"),
        ("/", "q=own%2Dsecret", "/?q=***"),
        ("/own-secret/x", "", "/***/x"),
        ("/", "next=trig_0123456789abcdefg", "/?next=trig_***"),
    ],
)
def test_a_target_is_shown_on_one_line_with_secrets_hidden(path, query, shown):
    assert SecretRedactor(["own-secret"]).target(path, query) == shown


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("X-Mock-Token", "hello", "***"),
        ("x-api-key", "hello", "***"),
        ("x-api-key", "", ""),
        ("authorization", "Basic aGVsbG86eW91", "Basic ***"),
        ("Proxy-Authorization", "bearer hello", "bearer ***"),
        ("authorization", "hello you", "***"),
        ("authorization", "hello", "***"),
        ("Cookie", "deadringer_control=hello; a=b", "***"),
        ("Set-Cookie", "a=b; Path=/", "***"),
        ("X-Client-Secret", "hello", "***"),
        ("accept", "own-secret, text/html", "***, text/html"),
    ],
)
def test_headers_with_secret_names_are_hidden(name, value, shown):
    assert SecretRedactor(["own-secret"]).header(name, value) == shown


def test_a_long_target_is_cut():
    assert len(SecretRedactor([]).target("/" + "x" * 10_000, "y=" + "z" * 10_000)) < 500


@pytest.mark.parametrize(
    "name",
    ["X-Auth", "Authentication", "auth", "X-Session-Id", "X-CSRF", "Proxy-Authorization", "passwd"],
)
def test_values_of_secret_names_are_hidden(name: str) -> None:
    redact = SecretRedactor([])

    assert redact.header(name, "value-of-it") == "***"
    assert redact.member(name, "value-of-it") == "***"


@pytest.mark.parametrize(
    "name", ["X-Mock-Session", "WWW-Authenticate", "X-Author", ":authority", "Content-Type"]
)
def test_values_of_other_names_are_shown(name: str) -> None:
    assert SecretRedactor([]).header(name, "value-of-it") == "value-of-it"
