"""Halves in opposite orders do not fill the aggregators' prefetch windows and stand still (P6)."""

import time
from contextlib import ExitStack

import pytest

from common.crew import Consumer
from common.database import Database
from common.handling import Stage
from common.settings import Settings
from common.topology import Topology
from services.aggregator.__main__ import PATIENCE_SECONDS
from services.aggregator.completion import Completions
from services.aggregator.handler import Aggregator
from services.aggregator.join import Join
from tests.fleet import POLL
from tests.integration.runtime import Broker, working
from tests.join_world import counts, submitted
from tests.sizes import whole
from tests.some_facts import grayscaled, hashed

PAIRS = 4_000 if whole() else 120
WINDOWS = (
    [(prefetch, count) for prefetch in (1, 2, 8) for count in (1, 2, 3, 4)] if whole() else [(1, 1), (1, 4), (8, 2)]
)
LONGEST_PAUSE_SECONDS = 5.0
LOOK_SECONDS = 0.05


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("prefetch", "aggregators"), WINDOWS)
def test_halves_in_opposite_orders_are_all_joined_without_a_pause(
    database: Database, settings: Settings, topology: Topology, prefetch: int, aggregators: int
) -> None:
    items = submitted(database, PAIRS)
    bodies = [bytes([number % 256]) + number.to_bytes(4, "big") for number in range(PAIRS)]
    broker = Broker(settings, topology)
    broker.put([hashed(item, body).to_message() for item, body in zip(items, bodies, strict=True)])
    broker.put([grayscaled(item, body).to_message() for item, body in zip(items[::-1], bodies[::-1], strict=True)])
    with ExitStack() as stack:
        for _ in range(aggregators):
            join = Join(database, patience_seconds=PATIENCE_SECONDS)
            handle = Aggregator(Stage("aggregator", topology), join, Completions(database)).handle
            consumers = [
                Consumer(queue, handle, prefetch_count=prefetch, batch_size=prefetch)
                for queue in ("aggregator", "aggregator.gray")
            ]
            stack.enter_context(working(settings, topology, *consumers))
        began = time.monotonic()
        progress, looks_in_vain, longest_pause_seconds = (0, 0, 0), 0, 0.0
        while progress[0] < PAIRS:
            POLL.wait(LOOK_SECONDS)
            # Hashes that come first are noted, gray versions put aside: that is progress, too.
            noted = database["items"].count_documents({"hashes": {"$exists": True}})
            latest = (counts(database, items[0].task_id)[0], noted, database["halves"].count_documents({}))
            # Looks are counted: while the database or this process stands still, nobody makes a pause.
            progress, looks_in_vain = latest, looks_in_vain + 1 if latest == progress else 0
            longest_pause_seconds = max(longest_pause_seconds, looks_in_vain * LOOK_SECONDS)
            assert longest_pause_seconds < 30, f"joined, noted, put aside: {progress}"
    print(  # noqa: T201 - the figures are wanted
        f"{PAIRS} pairs, prefetch {prefetch}, {aggregators} aggregators: {time.monotonic() - began:.0f} s, "
        f"longest pause {longest_pause_seconds:.2f} s"
    )
    assert longest_pause_seconds < LONGEST_PAUSE_SECONDS
    assert counts(database, items[0].task_id) == (PAIRS, 0, 0, 0)
