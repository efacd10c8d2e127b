"""What kills a worker again and again ends as poison; what was only held beside it ends as ever."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from common.broker import parameters
from common.crew import Consumer
from common.database import Database
from common.ledger import Ledger
from common.message import Message, Publication
from common.publisher import Publisher
from common.settings import Settings
from common.submission import submit
from common.topology import BINDINGS, DELIVERY_LIMIT, SUSPECT_LIMIT, Topology, suspects_of
from samples.site import serving
from tests.accounts import check_accounts
from tests.fleet import eventually
from tests.integration.runtime import Broker, working
from tests.supervision import supervised

SERVICES = ("fetcher", "hasher", "grayscaler", "aggregator")
POISONED = ("fetcher", "hasher", "grayscaler", "aggregator", "aggregator.gray")
NEIGHBOURS = 50


@pytest.fixture
def site() -> Iterator[str]:
    with serving("127.0.0.2", 0) as site:
        yield site.base_url


@pytest.mark.timeout(600)
def test_poison_of_every_stage_ends_as_an_error_and_its_neighbours_succeed(
    *,
    database: Database,
    settings: Settings,
    topology: Topology,
    environment: dict[str, str],
    site: str,
    tmp_path: Path,
) -> None:
    poison = [f"{site}/{200 + number}/200?poison-{queue}" for number, queue in enumerate(POISONED)]
    neighbours = [f"{site}/{20 + number}/{21 + number}" for number in range(NEIGHBOURS)]
    urls = [*neighbours[:5], *poison, *neighbours[5:]]
    publisher = Publisher("tests", parameters(settings, "tests"), topology)
    ledger = Ledger(database)
    pending = {"outcome": "pending"}
    with supervised(SERVICES, environment, tmp_path, launcher="tests.dying_service") as deaths:
        task_id = submit(ledger, publisher, urls, name=None, refresh=False)
        eventually(lambda: not database["items"].count_documents(pending), deadline_seconds=280, what=f"{deaths}")
    publisher.close()
    assert check_accounts(database, task_id, len(urls)) == {"success": NEIGHBOURS, "error": len(POISONED)}
    errors = list(database["items"].find({"outcome": "error"}))
    ends = {item["url"]: (item["stage"], item["reason"]) for item in errors}
    assert ends == {url: (queue, "poison") for url, queue in zip(poison, POISONED, strict=True)}

    log = (tmp_path / "aggregator.log").read_text()
    ids = {item["stage"]: item["_id"] for item in errors}

    def most(queue: str) -> int:
        """Once, usually; an aggregator that dies before it could ack what it has told tells it, or moves it, twice."""
        moved = log.count(f" of {queue} item_id={ids[queue]} ")
        assert moved >= 1
        return DELIVERY_LIMIT + 1 + moved * (SUSPECT_LIMIT + 1)

    assert all(deaths[service] <= most(service) for service in SERVICES[:3]), deaths
    told_twice = DELIVERY_LIMIT + 1 + SUSPECT_LIMIT + 1
    assert deaths["aggregator"] <= most("aggregator") + most("aggregator.gray") + told_twice, deaths


def named(topology: Topology, queue: str, name: str) -> Message:
    """Make a message for a queue, to be put there through the default exchange."""
    return Message(topology.queue(queue), name, "", {}, b"")


@pytest.mark.parametrize("queue", BINDINGS)
def test_suspects_of_every_queue_are_tried_one_at_a_time_while_nothing_else_is_held(
    settings: Settings, topology: Topology, queue: str
) -> None:
    broker = Broker(settings, topology)
    broker.put([named(topology, suspects_of(queue), f"suspect {number}") for number in range(4)], exchange="")
    broker.put([named(topology, queue, "usual")] * 40, exchange="")
    batches: list[list[str]] = []

    def handle(messages: Sequence[Message]) -> list[list[Publication]]:
        batches.append([message.message_id for message in messages])
        return [[] for _ in messages]

    with working(settings, topology, Consumer(queue, handle, prefetch_count=8, batch_size=8, linger_seconds=0.05)):
        eventually(lambda: sum(map(len, batches)) == 44, what="all are handled")
    assert batches[:4] == [[f"suspect {number}"] for number in range(4)]
    assert Counter(name for batch in batches[4:] for name in batch) == {"usual": 40}
    assert (broker.ready(queue), broker.ready(suspects_of(queue))) == (0, 0)


def test_a_worker_finishes_what_it_holds_before_it_tries_a_suspect(
    settings: Settings, topology: Topology, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("common.intake.LOOK_SECONDS", 0.2)
    broker = Broker(settings, topology)
    go_on = threading.Event()
    handled: list[str] = []

    def handle(messages: Sequence[Message]) -> list[list[Publication]]:
        [name] = [message.message_id for message in messages]
        if name == "slow":
            go_on.wait(20)
        handled.append(name)
        return [[]]

    def is_left(name: str) -> bool:
        broker.put([named(topology, "fetcher", name)], exchange="")
        return broker.ready("fetcher") > 0

    with working(settings, topology, Consumer("fetcher", handle, prefetch_count=400, threads=2)):
        broker.put([named(topology, "fetcher", "slow")], exchange="")
        eventually(lambda: broker.ready("fetcher") == 0, what="it is held")
        broker.put([named(topology, "fetcher.suspects", "suspect")], exchange="")
        eventually(lambda: is_left("usual"), what="nothing new is taken")
        eventually(lambda: broker.ready("busy") >= 1, what="others are told that it holds something")
        assert not {"slow", "suspect"} & set(handled)
        go_on.set()
        eventually(lambda: broker.ready("fetcher") == 0 and handled[-1] == "usual", what="it goes on as usual")
    later = handled[handled.index("slow") :]
    assert later[:2] == ["slow", "suspect"]
    assert set(later[2:]) == {"usual"}
