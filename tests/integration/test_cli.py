"""The command line as people run it: a process, its output, its exit code."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

import pytest

from common.database import Database
from common.facts import UrlSubmitted
from common.settings import Settings
from common.topology import Topology
from deploy.local.ports import free_ports
from tests.fleet import eventually
from tests.integration.runtime import Broker

FETCHER = str(Path(sys.executable).parent / "fetcher")


class Cli:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = {**os.environ, **environment}

    def __call__(self, *arguments: str, stdin: bytes = b"", **overlay: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [FETCHER, *arguments],
            input=stdin.decode("latin-1"),
            env={**self.environment, **overlay},
            capture_output=True,
            text=True,
            encoding="latin-1",
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return done


@pytest.fixture
def cli(environment: dict[str, str], topology: Topology) -> Cli:
    return Cli(environment)


@pytest.fixture
def broker(settings: Settings, topology: Topology) -> Broker:
    return Broker(settings, topology)


def task_of(done: subprocess.CompletedProcess[str]) -> UUID:
    assert done.returncode == 0, done.stderr
    return UUID(json.loads(done.stdout)["task"])


def refused(done: subprocess.CompletedProcess[str], code: int) -> str:
    """Check the code and that one line says why; give the line."""
    assert done.returncode == code
    assert done.stdout == ""
    [line] = [line for line in done.stderr.splitlines() if line.startswith(("fetcher:", "Error:"))]
    if line.startswith("fetcher:"):
        assert done.stderr.splitlines() == [line]
    return line


def test_publishing_writes_every_item_and_puts_every_message_into_the_queue(
    cli: Cli, broker: Broker, database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "urls.txt"
    file.write_bytes("﻿http://a.example/1\r\n\r\n# a comment\r\nhttp://a.example/2".encode())
    task = task_of(cli("publish", str(file), "--name", "two", "--json"))
    items = list(database["items"].find().sort("_id"))
    assert [(item["line"], item["url"], item["outcome"]) for item in items] == [
        (1, "http://a.example/1", "pending"),
        (2, "http://a.example/2", "pending"),
    ]
    document = database["tasks"].find_one()
    assert document is not None
    assert (document["_id"], document["name"], document["total"]) == (task, "two", 2)
    facts = [UrlSubmitted.from_message(message) for message in broker.take("fetcher", 2)]
    assert {fact.item.item_id for fact in facts} == {item["_id"] for item in items}
    assert broker.ready("fetcher") == 0


def test_a_dash_reads_standard_input(cli: Cli, broker: Broker) -> None:
    task_of(cli("publish", "-", "--refresh", "--json", stdin=b"http://a.example/1\n"))
    [message] = broker.take("fetcher", 1)
    assert UrlSubmitted.from_message(message).refresh


def test_resuming_publishes_only_what_is_pending(cli: Cli, broker: Broker, database: Database) -> None:
    urls = b"".join(b"http://a.example/%d\n" % line for line in range(1, 11))
    task = task_of(cli("publish", "-", "--json", stdin=urls))
    broker.take("fetcher", 10)
    database["items"].update_many({"line": {"$lte": 7}}, {"$set": {"outcome": "success", "md5": "0" * 32}})
    task_of(cli("publish", "--resume", str(task), "--json"))
    again = {UrlSubmitted.from_message(message).item.url for message in broker.take("fetcher", 3)}
    assert again == {f"http://a.example/{line}" for line in (8, 9, 10)}
    assert broker.ready("fetcher") == 0


def test_resuming_with_the_file_completes_a_list_that_was_interrupted(
    cli: Cli, broker: Broker, database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "urls.txt"
    file.write_text("".join(f"http://a.example/{line}\n" for line in range(1, 11)))
    task = task_of(cli("publish", str(file), "--json"))
    broker.take("fetcher", 10)
    database["items"].delete_many({"line": {"$gt": 4}})
    database["tasks"].update_one({}, {"$set": {"total": None}})
    task_of(cli("publish", str(file), "--resume", str(task), "--json"))
    assert len(broker.take("fetcher", 10)) == 10
    assert database["items"].count_documents({"task_id": task}) == 10
    assert database["tasks"].find_one({"total": 10}) is not None


@pytest.mark.parametrize(
    ("lines", "says"),
    [((1, 2, 30, 4), "line 3"), ((1, 2, 3), "line 4"), ((), "no URL"), ((2, 1, 3, 4, 5), "line 1")],
    ids=["another URL", "too short", "empty", "another order"],
)
def test_resuming_with_another_file_is_refused_and_changes_nothing(
    *, cli: Cli, broker: Broker, database: Database, tmp_path: Path, lines: tuple[int, ...], says: str
) -> None:
    task = task_of(cli("publish", "-", "--json", stdin=b"".join(b"http://a.example/%d\n" % n for n in (1, 2, 3, 4))))
    broker.take("fetcher", 4)
    database["tasks"].update_one({}, {"$set": {"total": None}})
    file = tmp_path / "others.txt"
    file.write_text("".join(f"http://a.example/{line}\n" for line in lines))
    assert says in refused(cli("publish", str(file), "--resume", str(task)), 2)
    assert database["items"].count_documents({}) == 4
    assert database["tasks"].find_one({"total": None}) is not None
    assert broker.ready("fetcher") == 0


def test_a_retry_reopens_only_those_reasons_and_keeps_how_they_ended(
    cli: Cli, broker: Broker, database: Database
) -> None:
    urls = b"http://a.example/1\nhttp://a.example/2\nhttp://a.example/3\n"
    task = task_of(cli("publish", "-", "--json", stdin=urls))
    broker.take("fetcher", 3)
    for line, reason in ((1, "timeout"), (2, "http_4xx"), (3, "dns")):
        end = {"outcome": "error", "reason": reason, "detail": "why", "attempts": 4}
        database["items"].update_one({"line": line}, {"$set": end})
    task_of(cli("retry", str(task), "--reason", "timeout,dns", "--json"))
    rounds = {UrlSubmitted.from_message(message).item.round for message in broker.take("fetcher", 2)}
    assert rounds == {1}
    items = {item["line"]: item for item in database["items"].find()}
    assert [items[line]["outcome"] for line in (1, 2, 3)] == ["pending", "error", "pending"]
    [earlier] = items[1]["history"]
    assert (earlier["outcome"], earlier["reason"], earlier["attempts"], earlier["round"]) == ("error", "timeout", 4, 0)
    assert "reason" not in items[1]


@pytest.mark.parametrize(
    ("arguments", "stdin", "says"),
    [
        (["publish"], b"", "FILE is missing"),
        (["publish", "no-such-file"], b"", "no-such-file"),
        (["publish", "-"], b"", "no URL"),
        (["publish", "-"], b"http://a.example/\n\x00\x01", "line 2"),
        (["publish", "-"], b"http://a.example/\n\xff\xfe", "line 2"),
        (["publish", "--resume", "not-an-id"], b"", "not-an-id"),
        (["publish", "--resume", "00000000-0000-4000-8000-000000000000"], b"", "no task"),
        (["retry", "00000000-0000-4000-8000-000000000000", "--reason", "weather"], b"", "weather"),
    ],
)
def test_bad_input_ends_with_code_2_and_one_line_and_writes_nothing(
    cli: Cli, database: Database, arguments: list[str], stdin: bytes, says: str
) -> None:
    assert says in refused(cli(*arguments, stdin=stdin), 2)
    assert database["tasks"].count_documents({}) == 0


def test_a_bad_setting_ends_with_code_2_and_names_it(cli: Cli) -> None:
    assert "MAX_PIXELS" in refused(cli("publish", "-", stdin=b"http://a.example/\n", MAX_PIXELS="many"), 2)


def test_a_broker_that_is_away_ends_with_code_3_and_the_task_to_resume(cli: Cli, database: Database) -> None:
    away = f"amqp://127.0.0.1:{free_ports(1)[0]}/%2F"
    began = time.monotonic()
    line = refused(cli("publish", "-", stdin=b"http://a.example/\n", AMQP_URL=away), 3)
    assert time.monotonic() - began < 20
    [task] = [document["_id"] for document in database["tasks"].find()]
    assert f"--resume {task}" in line
    assert database["items"].count_documents({"outcome": "pending"}) == 1


def test_a_database_that_is_away_ends_with_code_3(cli: Cli) -> None:
    away = f"mongodb://127.0.0.1:{free_ports(1)[0]}/graymill"
    assert "MongoDB" in refused(cli("publish", "-", stdin=b"http://a.example/\n", MONGO_URL=away), 3)


def test_a_password_in_a_url_is_written_down_nowhere(cli: Cli, broker: Broker, database: Database) -> None:
    done = cli("publish", "-", "--json", stdin=b"http://user:s3cret@a.example/\n")
    assert "s3cret" not in done.stdout + done.stderr
    [message] = broker.take("fetcher", 1)
    assert "s3cret" not in repr(message)
    assert "s3cret" not in repr(list(database["items"].find()))


def test_a_long_list_that_was_interrupted_is_completed_with_nothing_left_out_and_nothing_twice(
    cli: Cli, broker: Broker, database: Database, tmp_path: Path
) -> None:
    lines = 5_000  # more than may be on their way at once: the command stops in the middle of the list
    file = tmp_path / "urls.txt"
    file.write_text("".join(f"http://a.example/{line}\n" for line in range(1, lines + 1)))
    away = f"amqp://127.0.0.1:{free_ports(1)[0]}/%2F"
    refused(cli("publish", str(file), AMQP_URL=away), 3)
    task = database["tasks"].find_one()
    assert task is not None
    assert task["total"] is None
    assert 0 < database["items"].count_documents({}) < lines
    assert task_of(cli("publish", str(file), "--resume", str(task["_id"]), "--json")) == task["_id"]
    published = {UrlSubmitted.from_message(message).item.item_id for message in broker.take("fetcher", lines)}
    assert len(published) == lines == database["items"].count_documents({"outcome": "pending"})
    assert broker.ready("fetcher") == 0


def test_an_interrupt_ends_with_code_130_and_the_task_to_resume(cli: Cli, database: Database) -> None:
    environment = {**cli.environment, "AMQP_URL": f"amqp://127.0.0.1:{free_ports(1)[0]}/%2F"}
    process = subprocess.Popen(
        [FETCHER, "publish", "-"], env=environment, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    process.stdin.write("http://a.example/1\n")
    process.stdin.close()
    process.stdin = None
    eventually(lambda: database["items"].count_documents({}), what="the item is in the ledger")
    process.send_signal(signal.SIGINT)
    _output, errors = process.communicate(timeout=20)
    [task] = [document["_id"] for document in database["tasks"].find()]
    assert process.returncode == 130
    assert errors == f"fetcher: interrupted; later: fetcher publish --resume {task}\n"


def test_standard_input_that_is_closed_and_a_name_that_breaks_lines_are_bad_input(cli: Cli, tmp_path: Path) -> None:
    closed = ["/bin/sh", "-c", f"exec {FETCHER} publish - <&-"]
    done = subprocess.run(closed, env=cli.environment, capture_output=True, text=True, timeout=60, check=False)
    assert "standard input" in refused(done, 2)
    for name in ("a\nb", "a\x1b[2J", "x" * 201):
        assert "--name" in refused(cli("publish", "-", "--name", name, stdin=b"http://a.example/\n"), 2)


def test_a_hundred_thousand_lines_are_published_at_five_thousand_a_second_in_bounded_memory(
    cli: Cli, database: Database, tmp_path: Path
) -> None:
    lines = 100_000
    file = tmp_path / "urls.txt"
    file.write_text("".join(f"https://images.example/a/path/to/a/picture/{line:09}.jpg\n" for line in range(lines)))
    began, worked_before_seconds = time.monotonic(), _worked_seconds()
    process = subprocess.Popen([FETCHER, "publish", str(file)], env=cli.environment, stdout=subprocess.DEVNULL)
    peaks_kilobytes = [0]

    def ended() -> bool:
        # Not from the process's usage: that begins with the memory of who started it.
        status = Path(f"/proc/{process.pid}/status").read_text()
        peaks_kilobytes.extend(int(kilobytes) for kilobytes in re.findall(r"VmHWM:\s+(\d+)", status))
        return process.poll() is not None

    eventually(ended, deadline_seconds=120)
    seconds, worked_seconds = time.monotonic() - began, _worked_seconds() - worked_before_seconds
    print(  # noqa: T201 - the figures are wanted
        f"{lines / seconds:,.0f} lines a second, {lines / worked_seconds:,.0f} a second of its own work, "
        f"at most {max(peaks_kilobytes) / 1024:.0f} MB"
    )
    assert process.returncode == 0
    assert database["items"].count_documents({}) == lines
    assert max(peaks_kilobytes) < 100 * 1024
    # Of its own work, because the machine may be busy with other things.
    assert lines / worked_seconds > 5_000


def _worked_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
