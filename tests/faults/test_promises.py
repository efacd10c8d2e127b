"""Promises with a number: how soon a fault is noticed, how soon it is over. See docs/promises.md."""

import random
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import gt

import pytest

from common.broker import parameters
from common.crew import Consumer
from common.message import Message, Publication
from common.publisher import Publisher
from tests.faults.palette import PALETTE
from tests.faults.world import WORKERS, World
from tests.fleet import Process, eventually
from tests.integration.runtime import Broker, submitted, working

NOTICED_SECONDS, GOES_ON_SECONDS = 10.0, 15.0
CONSUMES_SECONDS = 20.0
ENDS_SECONDS = 10.0
GIVEN_UP = "missed heartbeats from client"
Measured = Callable[[str], None]


def seconds_until(condition: Callable[[], object], *, deadline_seconds: float, what: str) -> float:
    """Wait for it, and tell how long that took."""
    began = time.monotonic()
    eventually(condition, deadline_seconds=deadline_seconds, what=what)
    return time.monotonic() - began


def seconds_until_all_consume_again(world: World, before: list[int]) -> float:
    """Wait until each worker has connected anew."""
    return seconds_until(
        lambda: all(map(gt, world.connections(), before)),
        deadline_seconds=CONSUMES_SECONDS,
        what="every worker consumes again",
    )


@pytest.mark.parametrize("alarm", ["memory_alarm", "disk_alarm"])
def test_a_blocked_broker_is_noticed_and_survived(world: World, alarm: str, is_long: bool, measured: Measured) -> None:
    """P11. Nothing is handed in meanwhile: the API has to find out by itself."""
    lines = 1_000 if is_long else 300
    task_id = world.submit(world.urls(lines, each_seconds=1.0))
    world.under_way(lines // 10)
    with PALETTE[alarm].do(world, random.Random(0)):
        noticed = seconds_until(
            lambda: not world.is_ready(), deadline_seconds=NOTICED_SECONDS, what="/ready says that it is not"
        )
        world.pass_by(30.0 if is_long else 1.0)
        ended = world.finished()
        assert ended < lines, "the run was over before the alarm was"
    goes_on = seconds_until(
        lambda: world.is_ready() and world.finished() > ended,
        deadline_seconds=GOES_ON_SECONDS,
        what="all goes on again",
    )
    world.finish(task_id, lines)
    measured(
        f"P11 {alarm}: not ready after {noticed:.1f} s, on again {goes_on:.1f} s after its end, lost 0 of {lines:,}"
    )


def test_a_killed_broker_needs_nobodys_help(world: World, is_long: bool, measured: Measured) -> None:
    """P12."""
    lines, times, away_seconds = (2_000, 5, 10.0) if is_long else (200, 1, 1.0)
    task_id = world.submit(world.urls(lines))
    world.under_way(lines // 10)
    deaths = world.supervisor.deaths.copy()
    took = []
    for _ in range(times):
        before = world.connections()
        world.broker.kill()
        world.pass_by(away_seconds)
        world.broker.restart()
        took.append(seconds_until_all_consume_again(world, before))
    world.finish(task_id, lines)
    assert world.supervisor.deaths == deaths
    told = ", ".join(f"{seconds:.1f}" for seconds in took)
    measured(f"P12: all consume {told} s after the broker answers, 0 processes ended, lost 0 of {lines:,}")


def test_a_database_that_is_away_costs_nothing_but_time(world: World, is_long: bool, measured: Measured) -> None:
    """P14."""
    lines, away_seconds = (2_000, 60.0) if is_long else (200, 2.0)
    task_id = world.submit(world.urls(lines))
    world.under_way(lines // 10)
    said = _length(world.workers)
    world.mongod.kill()
    world.pass_by(away_seconds)
    world.mongod.restart()
    drained = seconds_until(lambda: world.finished() == lines, deadline_seconds=120, what="all end")
    world.finish(task_id, lines)
    assert not re.search("suspects wait|dead-lettered|no connection to the broker", _since(world.workers, said))
    measured(f"P14: away for {away_seconds:.0f} s, lost 0 of {lines:,}, dead-lettered 0, drained {drained:.0f} s later")


def test_workers_told_to_end_under_load_end_in_time(world: World, is_long: bool, measured: Measured) -> None:
    """P15: and a rolling restart loses nothing."""
    lines, victims = (300, [*world.of("fetcher"), *world.of("hasher"), world.of("grayscaler")[0]])
    if is_long:
        lines, victims = 3_000, random.Random(15).choices(world.workers, k=20)
    task_id = world.submit(world.urls(lines, each_seconds=0.6))
    world.under_way(lines // 20)
    took = []
    for victim in victims:
        eventually(lambda victim=victim: victim.consumes, what="it consumes")
        assert world.finished() < lines, "the run is over"
        began = time.monotonic()
        code = world.restarted(victim)
        took.append(time.monotonic() - began)
        assert code == 0
    world.finish(task_id, lines)
    assert max(took) < ENDS_SECONDS
    measured(f"P15: {len(victims)} times SIGTERM under load, exit code 0 within {max(took):.1f} s, lost 0 of {lines:,}")


def test_stages_grow_and_shrink_under_load(world: World, is_long: bool, measured: Measured) -> None:
    """P16."""
    lines, more = (2_000, 3) if is_long else (300, 1)
    task_id = world.submit(world.urls(lines, each_seconds=1.0))
    world.under_way(lines // 20)
    added = [world.start(service) for service in WORKERS for _ in range(more)]
    for worker in added:
        worker.wait_until_consuming()
    before = world.finished()
    assert before < lines, "the run was over before there were more"
    codes = [world.retire(worker) for worker in added]
    outcomes = world.finish(task_id, lines)
    assert codes == [0] * len(added)
    measured(
        f"P16: {len(added)} workers more and then fewer from line {before:,} on: {dict(outcomes)}, lost 0, double 0"
    )


def test_workers_that_were_away_for_longer_than_two_heartbeats(world: World, is_long: bool, measured: Measured) -> None:
    """The broker has given each of them up after two heartbeats without a sign of life, and closed its connection."""
    lines, away_seconds = (1_000, 120.0) if is_long else (200, 10.0)
    task_id = world.submit(world.urls(lines))
    world.under_way(lines // 10)
    before, said = world.connections(), world.broker.log_bytes
    for worker in world.workers:
        worker.freeze()
    world.pass_by(away_seconds)
    eventually(lambda: world.broker.log_from(said).count(GIVEN_UP) >= len(world.workers), what="all are given up")
    assert world.finished() < lines, "the run was over before"
    for worker in world.workers:
        worker.thaw()
    back = seconds_until_all_consume_again(world, before)
    world.finish(task_id, lines)
    measured(f"workers frozen for {away_seconds:.0f} s or more: all consume {back:.1f} s later, lost 0 of {lines:,}")


def test_a_full_queue_slows_its_publisher_and_drops_nothing(world: World, is_long: bool, measured: Measured) -> None:
    """The hasher stands still, and its queue of a mebibyte refuses what is more."""
    lines = 1_000 if is_long else 300
    [fetcher], [hasher] = world.of("fetcher"), world.of("hasher")
    said = len(fetcher.log)
    hasher.freeze()
    task_id = world.submit(world.urls(lines, each_seconds=0.0))
    eventually(lambda: "is full" in fetcher.log[said:], what="the fetcher is refused")
    stands_still = Steady(lambda: world.queues().get("fetcher", (None, None))[0])
    eventually(stands_still, what="it fetches no more")
    waiting, held = world.queues()["fetcher"][0], world.queues()["hasher"][0]
    hasher.thaw()
    outcomes = world.finish(task_id, lines)
    measured(f"a full queue: stood at {held} bodies, {waiting} URLs waited; then {dict(outcomes)}")


class Steady:
    """Tells whether a figure has stayed the same for a second."""

    def __init__(self, figure: Callable[[], object]) -> None:
        self._figure = figure
        self._seen, self._since = figure(), time.monotonic()

    def __call__(self) -> bool:
        seen = self._figure()
        if seen != self._seen:
            self._seen, self._since = seen, time.monotonic()
        return time.monotonic() - self._since > 1


@pytest.mark.long
def test_no_confirmed_message_is_lost_when_the_broker_is_killed(world: World, measured: Measured) -> None:
    """P2; a shorter one is in tests/integration/test_connections.py."""
    count, kills = 5_000, 4
    topology = replace(world.topology, prefix="confirmed.")
    broker = Broker(world.settings, topology)
    publisher = Publisher("tests", parameters(world.settings, "tests"), topology, patience_seconds=60)
    messages = [submitted(line) for line in range(1, count + 1)]
    for round_ in range(kills):
        part = messages[round_ * count // kills : (round_ + 1) * count // kills]
        publishing = threading.Thread(target=publisher.publish, args=[[topology.fact(message) for message in part]])
        eventually(lambda: publisher.ready, what="the publisher is connected")
        publishing.start()
        world.broker.kill()
        world.broker.restart()
        publishing.join(60)
        publisher.flush()
    publisher.close()
    taken = [message.headers["url"] for message in broker.take("fetcher", broker.ready("fetcher"))]
    assert set(taken) == {message.headers["url"] for message in messages}
    with world.channel() as channel:
        topology.delete(channel)
    measured(f"P2: {kills} kills, lost 0 of {count:,} confirmed, {len(taken) - count} came twice")


@pytest.mark.long
def test_work_of_ninety_seconds_does_not_lose_the_connection(world: World, measured: Measured) -> None:
    """P13; a shorter one is in tests/integration/test_worker.py."""
    topology = replace(world.topology, prefix="long-work.")
    settings = replace(world.settings, amqp_heartbeat_seconds=10, amqp_prefix=topology.prefix)
    deliveries: list[object] = []

    def handle(messages: Sequence[Message]) -> list[list[Publication]]:
        deliveries.extend(message.headers.get("x-delivery-count") for message in messages)
        busy_until = time.monotonic() + 90
        while time.monotonic() < busy_until:  # as a decoder would, without giving way
            sum(range(10_000))
        return [[topology.direct("dead", message)] for message in messages]

    broker = Broker(settings, topology)
    with working(settings, topology, Consumer("fetcher", handle, prefetch_count=1)) as worker:
        eventually(lambda: worker.is_connected, what="the worker is connected")
        broker.put([submitted(1)])
        eventually(lambda: broker.ready("dead") == 1, deadline_seconds=120, what="handled")
        reconnects = worker.reconnects
    with world.channel() as channel:
        topology.delete(channel)
    assert (deliveries, reconnects) == ([None], 0)
    measured("P13: a handler of 90 s at a heartbeat of 10 s: 0 reconnects, 0 redeliveries")


def _length(workers: Sequence[Process]) -> list[int]:
    return [len(worker.log) for worker in workers]


def _since(workers: Sequence[Process], lengths: Sequence[int]) -> str:
    return "".join(worker.log[length:] for worker, length in zip(workers, lengths, strict=True))
