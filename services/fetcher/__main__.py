"""The fetcher: `python -m services.fetcher`."""

import logging

from common.crew import Consumer
from common.database import connect
from common.errors import ConfigurationError
from common.handling import Stage
from common.service import run_worker
from common.settings import Settings
from common.topology import Topology
from common.worker import Worker
from services.fetcher.addresses import Resolver
from services.fetcher.arenas import use_few_arenas
from services.fetcher.download import Downloader
from services.fetcher.handler import Fetcher
from services.fetcher.known import Known
from services.fetcher.transport import Transport

NAME = "fetcher"
VERSION = "0.1"

log = logging.getLogger(__name__)


def wire(settings: Settings) -> Worker:
    """Put the fetcher together."""
    use_few_arenas()
    topology = Topology.of(settings)
    threads = settings.fetch_concurrency
    if settings.fetch_allow_nets:
        log.warning("non-public networks that are fetched from: %s", ", ".join(map(str, settings.fetch_allow_nets)))
    transport = Transport(connections_per_host=threads, user_agent=_user_agent(settings.fetch_contact))
    resolver = Resolver(settings.fetch_allow_nets, timeout_seconds=settings.connect_timeout_seconds)
    known = Known(connect(settings.mongo_url, application=NAME, pool_size=threads))
    fetcher = Fetcher(known, Downloader(settings, resolver, transport))
    handle = Stage(NAME, topology).each(fetcher.handle)
    consumer = Consumer(NAME, handle, prefetch_count=2 * threads, threads=threads)
    return Worker(NAME, [consumer], settings, topology)


def _user_agent(contact: str) -> str:
    if not (contact.isascii() and contact.isprintable()):
        raise ConfigurationError("FETCH_CONTACT: must be printable ASCII, as it stands in a header")
    return f"Graymill/{VERSION} (+{contact})" if contact else f"Graymill/{VERSION}"


if __name__ == "__main__":
    run_worker(NAME, wire)
