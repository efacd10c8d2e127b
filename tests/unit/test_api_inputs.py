"""Text from outside becomes values, or a sentence that says what is wrong with it."""

from datetime import UTC, datetime, timedelta

import pytest

from common.instants import write_instant
from services.api.cursors import image_key, read_line, read_position, write_position
from services.api.inputs import InvalidInput, parse_uuid, read_limit
from services.api.instants import read_span
from services.api.queries.newest import Position
from services.api.url_lists import read_json, read_text

NOW = datetime(2024, 5, 31, 12, 34, 56, 789_000, tzinfo=UTC)


def span_of(**arguments):
    return read_span({name.rstrip("_"): value for name, value in arguments.items()}, NOW)


def test_the_default_span_is_the_last_sixty_minutes_with_the_one_that_runs():
    span = span_of()
    assert span.minutes == 60
    assert span.end == datetime(2024, 5, 31, 12, 35, tzinfo=UTC)


def test_a_span_covers_every_minute_that_it_touches():
    span = span_of(from_="2024-05-31T10:00:59Z", to="2024-05-31T10:02:00.001Z")
    assert (span.start.minute, span.end.minute, span.minutes) == (0, 3, 3)


def test_a_span_that_ends_on_a_full_minute_does_not_touch_it():
    assert span_of(from_="2024-05-31T10:00:00Z", to="2024-05-31T10:02:00Z").minutes == 2


def test_a_span_of_one_moment_is_one_minute():
    assert span_of(from_="2024-05-31T10:00:00Z", to="2024-05-31T10:00:00Z").minutes == 1


def test_with_one_end_the_minutes_say_how_far_it_reaches():
    assert span_of(from_="2024-05-31T10:00:30Z", minutes="1440").minutes == 1440
    backwards = span_of(to="2024-05-31T10:00:00Z", minutes="15")
    assert (backwards.start.minute, backwards.minutes) == (45, 15)


def test_other_zones_and_an_unescaped_plus_sign_are_understood():
    span = span_of(from_="2024-05-31T12:00:00 02:00", to="2024-05-31T10:10:00Z")
    assert span.start == datetime(2024, 5, 31, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "arguments",
    [
        {"minutes": "14"},
        {"minutes": "1441"},
        {"minutes": "1e3"},
        {"minutes": "٣٠"},
        {"from": "yesterday"},
        {"from": "2024-05-31"},
        {"from": "2024-05-31T10:00:00"},
        {"from": "2024-02-30T10:00:00Z"},
        {"from": "0001-01-01T00:00:00+23:59"},
        {"from": "9999-12-31T23:59:59Z"},
        {"from": "2024-05-31T10:00:01Z", "to": "2024-05-31T10:00:00Z"},
        {"from": "2014-05-31T10:00:00Z", "to": "2024-05-31T10:00:00Z"},
        {"from": "2024-05-31T10:00:00Z", "to": "2024-06-01T10:00:01Z"},
    ],
)
def test_a_span_that_is_none_or_too_long_is_refused_with_a_sentence(arguments):
    with pytest.raises(InvalidInput, match=r"\.$"):
        read_span(arguments, NOW)


def test_times_are_written_as_rfc_3339_in_utc():
    assert write_instant(NOW) == "2024-05-31T12:34:56.789Z"
    assert write_instant(NOW.replace(microsecond=0)) == "2024-05-31T12:34:56Z"


@pytest.mark.parametrize("text", ["-1", "0", "101", "1e9", "abc", "1.5", " 5", "+5", "9" * 5000, "²"])
def test_a_limit_that_is_no_number_from_1_to_100_is_refused(text):
    with pytest.raises(InvalidInput, match="limit must be"):
        read_limit({"limit": text})


def test_a_position_survives_its_cursor():
    position = Position(NOW, "0" * 32)
    assert read_position(write_position(position), image_key) == position


@pytest.mark.parametrize("text", ["x", "AAAA", "é", "====", "MTIz", "a" * 3000, "MTcxNzE1ODg5Njc4OSBYWFhY", "\n"])
def test_a_broken_cursor_is_refused(text):
    with pytest.raises(InvalidInput, match="cursor must be"):
        read_position(text, image_key)


@pytest.mark.parametrize("text", ["-1", "1099511627776", "x", "9" * 14])
def test_a_line_that_no_item_can_have_is_refused(text):
    with pytest.raises(InvalidInput, match="cursor must be"):
        read_line(text)


@pytest.mark.parametrize(
    "text",
    [
        "{12345678-1234-5678-1234-567812345678}",
        "urn:uuid:12345678-1234-5678-1234-567812345678",
        "12345678123456781234567812345678",
        "12345678-1234-5678-1234-56781234567G",
        "ABCDEF78-1234-5678-1234-567812345678",
        "",
    ],
)
def test_an_id_in_any_other_spelling_than_ours_is_none(text):
    assert parse_uuid(text) is None


def test_lines_of_a_file_are_read_without_mark_blanks_and_comments():
    body = "\ufeffhttp://a/1\r\n\r\n  # a comment\n http://a/2 \rhttp://a/3\u2028x".encode()
    submission = read_text(body, {"name": "list", "refresh": "true"}, 10)
    assert submission.urls == ("http://a/1", "http://a/2", "http://a/3\u2028x")
    assert (submission.name, submission.refresh) == ("list", True)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b"{}",
        b'{"urls": []}',
        b'{"urls": "http://a"}',
        b'{"urls": {"$gt": ""}}',
        b'{"urls": [1]}',
        b'{"urls": [null]}',
        b'{"urls": [" "]}',
        b'{"urls": [{"$gt": ""}]}',
        b'{"urls": ["http://a"], "refresh": 1}',
        b'{"urls": ["http://a"], "refresh": "true"}',
        b'{"urls": ["http://a"], "name": 5}',
        b'{"urls": ["http://a"], "name": {"$ne": 1}}',
        b'{"urls": ["http://a"], "refesh": true}',
        b'{"urls": ["http://\\ud800"]}',
        b'{"urls": ["http://a"], "name": "\\udfff"}',
        b'{"urls": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
        b'{"urls": [' + b",".join([b'"http://a"'] * 11) + b"]}",
        b'{"urls": ["http://a"], "name": "' + b"x" * 201 + b'"}',
        b'{"urls": [' + b"9" * 5000 + b"]}",
    ],
)
def test_a_body_that_is_no_list_of_urls_is_refused_with_a_sentence(body):
    with pytest.raises(InvalidInput, match=r"\.$"):
        read_json(body, 10)


def test_a_span_asked_for_in_whole_days_is_not_longer_than_one():
    with pytest.raises(InvalidInput):
        span_of(from_=write_instant(NOW - timedelta(days=2)), to=write_instant(NOW))
