"""The aggregator: `python -m services.aggregator`."""

from common.crew import Consumer
from common.database import connect
from common.dead_letters import DeadLetters
from common.handling import Stage
from common.service import run_worker
from common.settings import Settings
from common.topology import Topology
from common.worker import Worker
from services.aggregator.completion import Completions
from services.aggregator.handler import Aggregator
from services.aggregator.join import Join
from services.aggregator.keeper import Keeper
from services.aggregator.outcomes import begin_at_zero
from services.aggregator.undertaker import Undertaker

NAME = "aggregator"
GRAY = "aggregator.gray"
PATIENCE_SECONDS = 1.0


def wire(settings: Settings) -> Worker:
    """Put the aggregator together. Small facts and large gray images are consumed apart: see the topology."""
    begin_at_zero()
    topology = Topology.of(settings)
    database = connect(settings.mongo_url, application=NAME)
    join, completions = Join(database, patience_seconds=PATIENCE_SECONDS), Completions(database)
    small, gray = (Aggregator(Stage(queue, topology), join, completions) for queue in (NAME, GRAY))
    consumers = [
        Consumer(NAME, small.handle, prefetch_count=400, batch_size=100, linger_seconds=0.02),
        Consumer(GRAY, gray.handle, prefetch_count=48, batch_size=32, linger_seconds=0.15),
        Consumer("undertaker", Undertaker(topology).handle, prefetch_count=1),
        Consumer("dead", Keeper(DeadLetters(database)).handle, prefetch_count=1),
    ]
    return Worker(NAME, consumers, settings, topology)


if __name__ == "__main__":
    run_worker(NAME, wire)
