"""Addresses of Redis servers: what is read, what is refused, and that secrets stay hidden."""

import pytest

from deadringer.mockserver.state.redis_url import is_url, parse_redis_url


@pytest.mark.parametrize(
    ("written", "shown", "name"),
    [
        ("redis://h", "redis://h:6379/0#default", "default"),
        ("redis://h:7000/3#shop", "redis://h:7000/3#shop", "shop"),
        ("rediss://u:p%40@[::1]/1#a.b-c", "rediss://[::1]:6379/1#a.b-c", "a.b-c"),
    ],
)
def test_an_address_is_read(written, shown, name):
    url = parse_redis_url(written)

    assert (str(url), url.name) == (shown, name)
    assert is_url(written)


def test_the_password_is_not_shown():
    url = parse_redis_url("redis://user:secret@h/0#shop")

    assert "secret" not in f"{url} {url!r}"
    assert url.secret_url == "redis://user:secret@h/0"


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("http://user:secret@h", "neither the path of a file nor redis://"),
        ("redis://", "names no host"),
        ("redis://user:secret@h:port", "host or port is not valid"),
        ("redis://user:secret@h/main", "the database 'main' is not a number"),
        ("redis://h/0#a b", "the name 'a b' after #"),
        ("redis://user:secret@h?db=2", "unknown option db"),
    ],
)
def test_what_is_no_address_is_refused(written, problem):
    with pytest.raises(ValueError, match=problem) as refused:
        parse_redis_url(written)

    assert "secret" not in str(refused.value)
