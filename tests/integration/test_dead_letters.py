"""Dead letters: kept out of the broker's queue, shown, put back, thrown out."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from common.broker import parameters
from common.crew import Consumer
from common.database import CAPPED, Database
from common.dead_letters import LONGEST_BODY_BYTES, DeadLetter, DeadLetters
from common.errors import Unavailable
from common.facts import ImageFetched, ImageGrayscaled, ItemFailed, UrlSubmitted
from common.handling import Stage
from common.ledger import Ledger
from common.message import MAX_BODY_BYTES, Message
from common.publisher import Publisher
from common.reasons import Reason
from common.replaying import replay
from common.settings import Settings
from common.topology import Topology
from deploy.local.ports import free_ports
from services.aggregator.join import Join
from services.aggregator.keeper import Keeper
from tests.crashing_database import Crash, CrashingDatabase
from tests.fleet import eventually
from tests.integration.runtime import Broker, working
from tests.integration.test_cli import Cli, refused
from tests.join_world import counts, submitted
from tests.some_facts import failed, fetched, grayscaled, hashed, new_item

NOON = datetime(2024, 5, 31, 12, 0, tzinfo=UTC)
NOBODY = UUID("00000000-0000-4000-8000-000000000000")


@pytest.fixture
def cli(environment: dict[str, str], topology: Topology) -> Cli:
    return Cli(environment)


@pytest.fixture
def broker(settings: Settings, topology: Topology) -> Broker:
    return Broker(settings, topology)


@pytest.fixture
def publisher(settings: Settings, topology: Topology) -> Iterator[Publisher]:
    publisher = Publisher("tests", parameters(settings, "tests"), topology)
    yield publisher
    publisher.close()


def buried(topology: Topology, queue: str, message: Message, sentence: str = "why") -> Message:
    """Give a message as it comes to the queue of the dead."""
    return Stage(queue, topology).bury(message, sentence)[0].message


def letter_of(message: Message, at: datetime = NOON) -> DeadLetter:
    return DeadLetter.of(message, at)


def kept(database: Database, topology: Topology, count: int) -> list[DeadLetter]:
    """Keep letters of so many images, one a second."""
    letters = [
        letter_of(buried(topology, "grayscaler", fetched(new_item(), b"%d" % n).to_message()), NOON + timedelta(0, n))
        for n in range(count)
    ]
    DeadLetters(database).keep(letters)
    return letters


def output_of(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_what_is_buried_is_kept_with_all_that_it_brought(
    settings: Settings, topology: Topology, broker: Broker, database: Database
) -> None:
    item = new_item()
    message = grayscaled(item, b"\x40").to_message().with_headers(**{"x-death": [{"queue": "q", "count": 6}]})
    keeper = Consumer("dead", Keeper(DeadLetters(database)).handle, prefetch_count=1)
    letters = DeadLetters(database)
    with working(settings, topology, keeper):
        broker.put([message], exchange=f"{topology.exchange}.dead")
        broker.put([buried(topology, "aggregator.gray", message)] * 2, exchange=f"{topology.exchange}.dead")
        eventually(lambda: broker.ready("dead") == 0 and letters.count() == 2)
    [letter] = letters.newest(10, {"queue": "aggregator.gray"})
    whole = letters.find(letter.letter_id)
    assert whole is not None
    assert (letter.reason, letter.item_id, letter.task_id) == ("why", item.item_id, item.task_id)
    assert (letter.body, letter.size_bytes) == (b"", len(message.body))
    assert letter.headers["x-death"] == [{"queue": "q", "count": 6}]
    assert ImageGrayscaled.from_message(whole.message) == ImageGrayscaled.from_message(message)
    assert not [name for name in whole.message.headers if name.startswith("x-")]


@pytest.mark.parametrize(
    "message",
    [
        Message("", "", "", {}, b""),
        Message("t\x00\udcff", "m" * 300, "c", {"a.b": 1, "$c": 2, "": 3, "n": None, "f": 1.5, "huge": 2**70}, b""),
        Message("t", "m", "c", {"when": NOON, "deep": {"a": [{"b": b"\xff\x00", "c": [True]}]}}, b"\x00" * 100),
        Message("t", "m", "c", {f"h{n}": "x" * 120 for n in range(1_000)}, bytes(MAX_BODY_BYTES)),
        Message("t", "m", "c", {"item_id": "no id", "task_id": 5, "x-dead-queue": 7, "x-dead-reason": b"\xff"}, b"?"),
    ],
    ids=["empty", "odd names", "nested", "the largest", "no ids"],
)
def test_no_strangers_message_is_too_odd_to_be_kept(database: Database, message: Message) -> None:
    letters = DeadLetters(database)
    letters.keep([letter_of(message)])
    [letter] = letters.newest(10)
    found = letters.find(letter.letter_id)
    assert found is not None
    assert found.body == message.body[:LONGEST_BODY_BYTES]
    assert found.is_whole == (len(message.body) <= LONGEST_BODY_BYTES)
    assert json.dumps(found.readable_headers)


def test_the_newest_letters_are_kept_within_bounds(database: Database, topology: Topology) -> None:
    options = database["dead_letters"].options()
    assert options.items() >= {"capped": True, **CAPPED["dead_letters"]}.items()
    database["dead_letters"].drop()
    database.create_collection("dead_letters", capped=True, size=1 << 20, max=3)
    letters = kept(database, topology, 5)
    newest = DeadLetters(database).newest(10)
    assert [letter.letter_id for letter in newest] == [letter.letter_id for letter in letters[:1:-1]]


def test_a_replay_puts_the_same_message_back_and_takes_the_letter_away(
    cli: Cli, broker: Broker, database: Database, topology: Topology
) -> None:
    letters = kept(database, topology, 3)
    done = output_of(cli("dead", "replay", str(letters[1].letter_id), "--json"))
    assert done == {"replayed": 1, "refused": 0, "ended": 0, "tasks_ended": []}
    [message] = broker.take("grayscaler", 1)
    assert ImageFetched.from_message(message).body == b"1"
    assert not [name for name in message.headers if name.startswith("x-")]
    left = output_of(cli("dead", "list", "--json"))
    assert [entry["id"] for entry in left["letters"]] == [str(letters[2].letter_id), str(letters[0].letter_id)]
    assert output_of(cli("dead", "replay", "--all", "--json"))["replayed"] == 2
    assert [message.body for message in broker.take("grayscaler", 2)] == [b"0", b"2"]
    assert (broker.ready("grayscaler"), DeadLetters(database).count()) == (0, 0)


def test_a_replay_of_what_has_ended_doubles_nothing_and_says_so(
    cli: Cli, broker: Broker, database: Database, topology: Topology
) -> None:
    (item,) = submitted(database)
    join = Join(database)
    join.hashed([hashed(item, b"\x40")])
    join.failed([failed(item)])
    letters = DeadLetters(database)
    letters.keep([letter_of(buried(topology, "aggregator.gray", grayscaled(item, b"\x40").to_message()))])
    done = cli("dead", "replay", "--all")
    assert done.returncode == 0
    assert f"fetcher retry {item.task_id} --reason poison" in done.stdout
    [message] = broker.take("aggregator.gray", 1)
    join.grayscaled([ImageGrayscaled.from_message(message)])
    assert counts(database, item.task_id) == (0, 0, 1, 0)
    assert database["images"].count_documents({}) == 0


def test_a_letter_stays_until_the_broker_has_its_message(
    settings: Settings, database: Database, topology: Topology
) -> None:
    letters = kept(database, topology, 2)
    away = replace(settings, amqp_url=f"amqp://127.0.0.1:{free_ports(1)[0]}/%2F")
    publisher = Publisher("tests", parameters(away, "tests"), topology, patience_seconds=0.5)
    with pytest.raises(Unavailable):
        replay(database, publisher, DeadLetters(database).ids())
    publisher.close()
    assert DeadLetters(database).ids() == [letter.letter_id for letter in letters]


def test_who_is_killed_in_the_middle_has_put_back_what_is_still_there(
    publisher: Publisher, broker: Broker, database: Database, topology: Topology
) -> None:
    """Between the confirm and the letter's end: the message may come twice, and none is missing."""
    letters = kept(database, topology, 2)
    with pytest.raises(Crash):
        replay(cast(Any, CrashingDatabase(database, 2)), publisher, DeadLetters(database).ids())
    assert DeadLetters(database).ids() == [letter.letter_id for letter in letters]
    assert replay(database, publisher, DeadLetters(database).ids()).replayed == 2
    assert [message.body for message in broker.take("grayscaler", 3)] == [b"0", b"0", b"1"]


def test_what_cannot_be_put_back_is_kept_and_says_why(
    cli: Cli, publisher: Publisher, database: Database, topology: Topology
) -> None:
    unknown = letter_of(buried(topology, "unknown", fetched(new_item(), b"1").to_message()))
    too_long = letter_of(buried(topology, "hasher", Message("image.fetched", "", "", {}, bytes(MAX_BODY_BYTES))))
    letters = DeadLetters(database)
    letters.keep([unknown, too_long])
    done = replay(database, publisher, letters.ids())
    assert (done.replayed, done.refused, letters.count()) == (0, 2, 2)
    shown = output_of(cli("dead", "show", str(unknown.letter_id), "--json"))
    assert "which queue" in shown["obstacle"]


def test_a_letter_is_shown_with_its_headers_and_its_body_on_demand(
    cli: Cli, database: Database, topology: Topology, tmp_path: Path
) -> None:
    item = new_item()
    message = grayscaled(item, b"\x40").to_message()
    letter = letter_of(buried(topology, "aggregator.gray", message, "it\x1b[2J broke"))
    DeadLetters(database).keep([letter])
    file = tmp_path / "body"
    shown = output_of(cli("dead", "show", str(letter.letter_id), "--body", str(file)))
    assert file.read_bytes() == message.body
    assert (shown["queue"], shown["item"], shown["task"]) == ("aggregator.gray", str(item.item_id), str(item.task_id))
    assert shown["headers"]["histogram"] == message.headers["histogram"].hex()
    listed = cli("dead", "list").stdout
    assert str(letter.letter_id) in listed
    assert "\x1b" not in listed


def test_purging_takes_only_what_is_named_or_all(cli: Cli, database: Database, topology: Topology) -> None:
    letters = kept(database, topology, 3)
    assert output_of(cli("dead", "purge", str(letters[0].letter_id), "--json")) == {"purged": 1}
    assert output_of(cli("dead", "purge", "--all", "--json")) == {"purged": 2}
    assert cli("dead", "list").stdout.split() == ["0", "dead", "letters"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["replay"], "--all"),
        (["purge", str(NOBODY), "--all"], "--all"),
        (["purge", str(NOBODY)], str(NOBODY)),
        (["replay", str(NOBODY)], str(NOBODY)),
        (["show", str(NOBODY)], str(NOBODY)),
        (["show", "no-id"], "no-id"),
        (["list", "--limit", "0"], "limit"),
    ],
)
def test_bad_input_ends_with_code_2_and_one_line(cli: Cli, arguments: list[str], says: str) -> None:
    assert says in refused(cli("dead", *arguments), 2)


def test_a_message_of_another_version_is_kept_and_its_item_told_of_and_it_can_be_put_back_after_the_upgrade(
    database: Database, publisher: Publisher, broker: Broker, topology: Topology
) -> None:
    ledger = Ledger(database)
    task_id = ledger.open_task(kind="url", name=None, refresh=False)
    [item] = ledger.add_items(task_id, 1, ["http://a.example/"])
    newer = UrlSubmitted(item).to_message().with_headers(version=2)
    stage = Stage("fetcher", topology)
    dead, told = stage.settle(lambda message: [UrlSubmitted.from_message(message).to_message()], newer)
    failed = ItemFailed.from_message(told.message)
    assert (failed.item.item_id, failed.reason) == (item.item_id, Reason.POISON)
    letters = DeadLetters(database)
    letters.keep([letter_of(dead.message)])
    assert (replay(database, publisher, [uuid4(), *letters.ids()]).replayed, letters.count()) == (1, 0)
    assert broker.take("fetcher", 1)[0].headers["version"] == 2
