"""The hasher: `python -m services.hasher`."""

from common.crew import Consumer
from common.database import connect
from common.handling import Stage
from common.service import run_worker
from common.settings import Settings
from common.topology import Topology
from common.worker import Worker
from services.hasher.handler import Hasher
from services.hasher.originals import Originals

NAME = "hasher"


def wire(settings: Settings) -> Worker:
    """Put the hasher together."""
    topology = Topology.of(settings)
    originals = Originals(connect(settings.mongo_url, application=NAME)) if settings.keep_originals else None
    hasher = Hasher(Stage(NAME, topology), originals)
    consumer = Consumer(NAME, hasher.handle, prefetch_count=48, batch_size=32, linger_seconds=0.01)
    return Worker(NAME, [consumer], settings, topology)


if __name__ == "__main__":
    run_worker(NAME, wire)
