"""Log lines: one an event, whatever a stranger wrote into a URL."""

import json
import logging
import sys
from datetime import UTC, datetime

import pytest

from common.logs import Json, Plain, about, current
from common.message import Message
from tests.some_facts import fetched, new_item

NASTY = "https://images.example/\n2026-01-01T00:00:00.000Z INFO forged\r\x1b[31m\x00\x7f\x85\u2028\u2029end"
FORMATTERS = pytest.mark.parametrize("formatter", [Plain("hasher"), Json("hasher")], ids=["plain", "json"])


def record(message: str, *arguments: object, level: int = logging.INFO) -> logging.LogRecord:
    made = logging.LogRecord("common.worker", level, "", 0, message, arguments, None)
    made.created, made.msecs = datetime(2026, 1, 31, 12, 0, 0, 123_000, UTC).timestamp(), 123
    return made


def failure(error: Exception) -> logging.LogRecord:
    def fall_over() -> None:
        raise error

    made = record("not foreseen", level=logging.ERROR)
    try:
        fall_over()
    except Exception:  # noqa: BLE001 - whatever it is, it is logged
        made.exc_info = sys.exc_info()
    return made


def test_a_plain_line_tells_when_how_bad_who_and_what() -> None:
    assert Plain("hasher").format(record("consuming %s", "hasher")) == (
        "2026-01-31T12:00:00.123Z INFO hasher common.worker: consuming hasher"
    )


def test_a_requests_id_stands_behind_the_message_or_in_a_member_of_its_own() -> None:
    made = record("asked")
    made.request_id = "abc-1"
    assert Plain("api").format(made).endswith("asked request_id=abc-1")
    assert json.loads(Json("api").format(made))["request_id"] == "abc-1"
    assert "request_id" not in json.loads(Json("api").format(record("not asked")))


def test_what_is_handled_is_on_every_line_that_is_logged_meanwhile() -> None:
    item = new_item()
    message = fetched(item, b"bytes").to_message()
    before = current.set(message)
    try:
        lines = [formatter.format(record("try 1 failed")) for formatter in (Plain("fetcher"), Json("fetcher"))]
    finally:
        current.reset(before)
    ids = {"item_id": str(item.item_id), "task_id": str(item.task_id), "message_id": message.message_id}
    assert lines[0].endswith(" ".join(["try 1 failed", *(f"{name}={value}" for name, value in ids.items())]))
    assert json.loads(lines[1]).items() >= ids.items()
    assert "item_id" not in json.loads(Json("fetcher").format(record("afterwards")))


def test_an_outcome_is_a_member_of_its_own_and_told_once_in_a_plain_line() -> None:
    item = new_item()
    made = record("error reason=dns url=%s", item.url)
    vars(made).update(about(item, outcome="error", reason="dns"))
    line = json.loads(Json("aggregator").format(made))
    assert (line["outcome"], line["reason"], line["item_id"]) == ("error", "dns", str(item.item_id))
    assert "message_id" not in line
    plain = Plain("aggregator").format(made)
    assert plain.endswith(f": error reason=dns url={item.url} item_id={item.item_id} task_id={item.task_id}")


def test_ids_that_a_stranger_wrote_break_no_line_and_are_cut() -> None:
    stranger = Message("url.submitted", NASTY, "", {"item_id": "x" * 10_000, "task_id": [NASTY]}, b"")
    made = record("dead-lettered")
    vars(made).update(about(stranger))
    for formatter in (Plain("fetcher"), Json("fetcher")):
        line = formatter.format(made)
        assert len(line.splitlines()) == 1
        assert line.isprintable()
        assert len(line) < 1_000


def test_a_json_line_tells_the_same() -> None:
    assert json.loads(Json("hasher").format(record("consuming %s", "hasher"))) == {
        "time": "2026-01-31T12:00:00.123+00:00",
        "level": "INFO",
        "service": "hasher",
        "logger": "common.worker",
        "message": "consuming hasher",
    }


@FORMATTERS
def test_a_url_never_breaks_a_line(formatter: logging.Formatter) -> None:
    line = formatter.format(record("fetched %s", NASTY))
    assert len(line.splitlines()) == 1
    assert line.isprintable()
    assert "end" in line


@FORMATTERS
@pytest.mark.parametrize("code", [*range(32), 127, 0x85, 0x2028, 0x2029])
def test_no_control_character_comes_through(formatter: logging.Formatter, code: int) -> None:
    assert chr(code) not in formatter.format(record("%s", f"a{chr(code)}b"))


def test_json_gives_back_what_was_logged() -> None:
    assert json.loads(Json("hasher").format(record("%s", NASTY)))["message"] == NASTY


@FORMATTERS
def test_an_exception_is_told_with_its_traceback(formatter: logging.Formatter) -> None:
    failed = failure(KeyError("missing"))
    text = formatter.format(failed)
    assert "KeyError: 'missing'" in text
    assert "Traceback" in text


def test_an_exception_in_json_stays_on_the_line() -> None:
    failed = failure(ValueError(NASTY))
    assert len(Json("hasher").format(failed).splitlines()) == 1


def test_the_text_of_an_exception_forges_no_line() -> None:
    failed = failure(ValueError(NASTY))
    assert not any(line.startswith("2026-01-01") for line in Plain("hasher").format(failed).splitlines())
