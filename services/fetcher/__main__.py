"""The fetcher: `python -m services.fetcher`."""

from common.arenas import use_few_arenas
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
    use_few_arenas()
    topology = Topology.of(settings)
    threads = settings.fetch_concurrency
    downloader = open_downloader(settings, connections=threads)
    known = Known(connect(settings.mongo_url, application=NAME, pool_size=threads))
    fetcher = Fetcher(known, downloader, settings.image_formats)
    handle = Stage(NAME, topology).each(fetcher.handle)
    consumer = Consumer(NAME, handle, prefetch_count=2 * threads, threads=threads)
    return Worker(NAME, [consumer], settings, topology)


if __name__ == "__main__":
    run_worker(NAME, wire)
