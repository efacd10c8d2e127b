"""Text from outside becomes values, or a sentence that says what is wrong with it."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from pydantic import ValidationError
from werkzeug.exceptions import NotFound

from common.instants import write_instant
from common.settings import Settings
from services.api.app import create_app
from services.api.blueprints.gallery import ImagesQuery
from services.api.blueprints.items import ItemsQuery
from services.api.blueprints.url_tasks import TaskPath, TasksQuery
from services.api.bodies import Received, decoded
from services.api.cursors import write_position
from services.api.describing import JSON, TEXT
from services.api.inputs import InvalidInput, Query, invalid_input
from services.api.instants import SpanQuery
from services.api.queries.newest import Position
from services.api.queries.span import MOST_MINUTES
from services.api.url_lists import FileQuery, read_url_list

NOW = datetime(2024, 5, 31, 12, 34, 56, 789_000, tzinfo=UTC)


@pytest.fixture(autouse=True)
def ten_urls_at_most():
    """Be within an application that takes ten URLs at once; it has neither database nor broker."""
    with create_app(Settings.from_environ({"API_MAX_URLS": "10"}), None, None).app_context():
        yield


def span_of(**arguments):
    return SpanQuery.model_validate({name.rstrip("_"): value for name, value in arguments.items()}).span(NOW)


def refusal(model: type[Query], arguments: dict[str, str]) -> str:
    """Give the sentence that these arguments are refused with."""
    with pytest.raises(ValidationError) as refused:
        model.model_validate(arguments)
    return str(invalid_input(refused.value))


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
    assert span_of(from_="2024-05-31T10:00:30Z", minutes="1439").minutes == 1440
    backwards = span_of(to="2024-05-31T10:00:00Z", minutes="15")
    assert (backwards.start.minute, backwards.minutes) == (45, 15)


def test_other_zones_and_an_unescaped_plus_sign_are_understood():
    span = span_of(from_="2024-05-31T12:00:00 02:00", to="2024-05-31T10:10:00Z")
    assert span.start == datetime(2024, 5, 31, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"minutes": "14"}, f"minutes must be a whole number from 15 to {MOST_MINUTES:,}, not '14'."),
        ({"minutes": str(MOST_MINUTES + 1)}, f"not '{MOST_MINUTES + 1}'."),
        ({"minutes": "1e3"}, "minutes must be"),
        ({"minutes": "٣٠"}, "minutes must be"),
        ({"from": "yesterday"}, "from must be a time such as 2024-05-31T18:30:00Z, not 'yesterday'."),
        ({"from": "2024-05-31"}, "from must be"),
        ({"from": "2024-05-31T10:00:00"}, "from must be"),
        ({"to": "2024-02-30T10:00:00Z"}, "to must be"),
        ({"from": "0001-01-01T00:00:00+23:59"}, "from must"),
        ({"from": "9999-12-31T23:59:59Z"}, "from must lie in the years 1970 to 2999, not in 9999."),
    ],
)
def test_an_argument_that_is_no_number_and_no_time_is_refused_with_a_sentence(arguments, sentence):
    assert sentence in refusal(SpanQuery, arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {"from": "2024-05-31T10:00:01Z", "to": "2024-05-31T10:00:00Z"},
        {"from": "2014-05-31T10:00:00Z", "to": "2024-05-31T10:00:00Z"},
        {"from": write_instant(NOW - timedelta(minutes=MOST_MINUTES + 1)), "to": write_instant(NOW)},
    ],
)
def test_a_span_that_is_none_or_too_long_is_refused_with_a_sentence(arguments):
    with pytest.raises(InvalidInput, match=r"\.$"):
        span_of(**arguments)


def test_arguments_that_a_form_sends_empty_are_as_absent():
    assert ItemsQuery.model_validate({"outcome": "", "limit": "", "cursor": ""}) == ItemsQuery()


def test_times_are_written_as_rfc_3339_in_utc():
    assert write_instant(NOW) == "2024-05-31T12:34:56.789Z"
    assert write_instant(NOW.replace(microsecond=0)) == "2024-05-31T12:34:56Z"


@pytest.mark.parametrize("text", ["-1", "0", "101", "1e9", "abc", "1.5", " 5", "+5", "1_0", "9" * 5000, "²", "५"])
def test_a_limit_that_is_no_number_from_1_to_100_is_refused(text):
    assert refusal(ImagesQuery, {"limit": text}).startswith("limit must be a whole number from 1 to 100, not ")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"outcome": "great"}, "outcome must be one of pending, success, duplicate, error, not 'great'."),
        ({"reason": "DNS"}, "reason must be one of invalid_url, "),
        ({"format": "xml"}, "format must be one of json, html, not 'xml'."),
    ],
)
def test_a_name_that_is_not_in_the_list_is_refused_with_the_list(arguments, sentence):
    assert refusal(ItemsQuery, arguments).startswith(sentence)


@pytest.mark.parametrize(("model", "key"), [(ImagesQuery, "0" * 32), (TasksQuery, uuid4())])
def test_a_position_survives_its_cursor(model, key):
    position = Position(NOW, key)
    assert model.model_validate({"cursor": write_position(position)}).cursor == position


@pytest.mark.parametrize(
    "text",
    ["x", "-", "1-", f"-{'0' * 32}", f"1-{'A' * 32}", f"1-{'0' * 31}", f"{'1' * 15}-{'0' * 32}", f"1-{'0' * 32}\n"],
)
def test_a_broken_cursor_is_refused(text):
    for model in (ImagesQuery, TasksQuery):
        assert refusal(model, {"cursor": text}).startswith("cursor must be one that an earlier answer gave as next")


@pytest.mark.parametrize("text", ["-1", "1099511627776", "x", "9" * 14])
def test_a_line_that_no_item_can_have_is_refused(text):
    assert refusal(ItemsQuery, {"cursor": text}).startswith("cursor must be")


@pytest.mark.parametrize(
    "text",
    [
        "{12345678-1234-5678-1234-567812345678}",
        "urn:uuid:12345678-1234-5678-1234-567812345678",
        "12345678123456781234567812345678",
        "12345678-1234-5678-1234-56781234567G",
        "ABCDEF78-1234-5678-1234-567812345678",
        "12345678-1234-5678-1234-567812345678\n",
        "",
    ],
)
def test_an_id_in_any_other_spelling_than_ours_leads_to_nothing(text):
    with pytest.raises(NotFound, match="no task with this id"):
        TaskPath(task_id=text)


def test_lines_of_a_file_are_read_without_mark_blanks_and_comments():
    body = "\ufeffhttp://a/1\r\n\r\n  # a comment\n http://a/2 \rhttp://a/3\u2028x".encode()
    query = FileQuery.model_validate({"name": "list", "refresh": "true"})
    submission = read_url_list(Received(TEXT, decoded(body)), query)
    assert submission.urls == ["http://a/1", "http://a/2", "http://a/3\u2028x"]
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
        read_url_list(Received(JSON, decoded(body)), FileQuery())


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("{", "The body is no JSON: EOF while parsing an object at line 1 column 1."),
        ("[]", "The body must be a JSON object."),
        ("{}", "urls is missing."),
        ('{"urls": ["a"], "refesh": true}', "There is no member 'refesh'."),
        (
            '{"urls": ["a", 5, " "]}',
            "urls must be a list of one or more strings, none of them empty; entry 2 is not one.",
        ),
        ('{"urls": ["a"], "refresh": "true"}', "refresh must be true or false, not 'true'."),
        (f'{{"urls": {["a"] * 11}}}'.replace("'", '"'), "urls must be at most 10 at once; these are 11."),
    ],
)
def test_the_sentence_says_what_is_wrong_with_a_body(body, sentence):
    with pytest.raises(InvalidInput) as refused:
        read_url_list(Received(JSON, body), FileQuery())
    assert str(refused.value) == sentence
