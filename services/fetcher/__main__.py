"""The fetcher: `python -m services.fetcher`."""

from common.crew import Consumer
from common.database import connect
from common.fetching.wiring import open_downloader
from common.handling import Stage
from common.service import run_worker
from common.settings import Settings
from common.topology import Topology
from common.worker import Worker
from services.fetcher.handler import Fetcher
from services.fetcher.known import Known

NAME = "fetcher"


def wire(settings: Settings) -> Worker:
    """Put the fetcher together."""
    topology = Topology.of(settings)
    threads = settings.fetch_concurrency
    database = connect(settings.mongo_url, application=NAME)
    downloader = open_downloader(settings, database, connections=threads, heeds_robots=settings.fetch_robots == "all")
    fetcher = Fetcher(Stage(NAME, topology), Known(database), downloader, settings.image_formats)
    # What is looked up in one go is ready before the threads are; what waits for a slow host leaves room for others.
    consumer = Consumer(
        NAME,
        fetcher.handle,
        prefetch_count=8 * threads,
        batch_size=threads,
        linger_seconds=0.03,
        put_off_threads=threads,
        most_of_a_key=settings.fetch_per_host,
    )
    return Worker(NAME, [consumer], settings, topology)


if __name__ == "__main__":
    run_worker(NAME, wire)
