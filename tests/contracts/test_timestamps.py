"""Timestamps are ISO 8601 with a zone: any form is parsed, one form is written."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deadringer.contracts import format_timestamp, milliseconds_between, parse_timestamp
from deadringer.contracts.timestamps import _ISO_8601, _moment

NOON = datetime(2026, 3, 27, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-27T12:00:00.000Z",
        "2026-03-27T12:00:00Z",
        "2026-03-27T12:00Z",
        "2026-03-27T12:00:00.000000+00:00",
        "2026-03-27T12:00:00,000Z",
        "2026-03-27T14:00:00+02:00",
        "2026-03-27T14:00:00+0200",
        "2026-03-27T04:30:00-0730",
        "2026-03-27T14:00:00+02",
        "2026-03-27t12:00:00z",
    ],
)
def test_every_precision_and_offset_form_is_read(text: str) -> None:
    assert parse_timestamp(text) == NOON


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-27T12:00:00",
        "2026-03-27 12:00:00Z",
        "2026-03-27",
        "2026-02-30T12:00:00Z",
        "2026-03-27T24:01:00Z",
        "2026-03-27T12:00:00+25:00",
        "2026-03-27T12:00:00+02:61",
        "27/03/2026 12:00",
        "1774612800",
        "٢٠٢٦-03-27T12:00:00Z",
        "2026-03-27T12:00:00Z\n",
        "",
        None,
        1774612800,
        [],
    ],
)
def test_what_names_no_moment_is_none(text: object) -> None:
    assert parse_timestamp(text) is None


def test_a_leap_second_is_a_moment() -> None:
    moment = parse_timestamp("2016-12-31T23:59:60Z")

    assert moment is not None
    assert datetime(2017, 1, 1, tzinfo=UTC) - moment <= timedelta(seconds=1)


def test_digits_beyond_microseconds_are_dropped() -> None:
    assert parse_timestamp("2026-03-27T12:00:00.123456789Z") == NOON.replace(microsecond=123456)
    assert parse_timestamp(f"2026-03-27T12:00:00.{'0' * 5000}Z") == NOON


@given(st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_what_is_written_reads_back_to_the_millisecond(moment: datetime) -> None:
    text = format_timestamp(moment)

    assert len(text) == len("2026-03-27T12:00:00.000Z")
    assert parse_timestamp(text) == moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def test_a_moment_in_another_zone_is_written_in_utc() -> None:
    assert format_timestamp(NOON.astimezone(timezone(timedelta(hours=9)))) == (
        "2026-03-27T12:00:00.000Z"
    )


def test_a_moment_without_a_zone_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        format_timestamp(datetime(2026, 3, 27))  # noqa: DTZ001


def test_milliseconds_between_two_moments_have_a_sign() -> None:
    later = NOON + timedelta(milliseconds=4320)

    assert milliseconds_between(NOON, later) == 4320
    assert milliseconds_between(later, NOON) == -4320


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_the_quick_way_reads_what_the_grammar_reads(data: st.DataObject) -> None:
    signs = list("2026-03-27T10:15:00.000Z")
    for at in data.draw(st.lists(st.integers(0, len(signs) - 1), max_size=3)):
        signs[at] = data.draw(st.sampled_from("0123456789TtZz:.,+- W٢"))
    text = "".join(signs)
    match = _ISO_8601.fullmatch(text)

    assert parse_timestamp(text) == (None if match is None else _moment(match))
