"""The scraper: `python -m services.scraper`."""

from common.crew import Consumer
from common.database import connect
from common.fetching.transport import PAGES
from common.fetching.wiring import open_downloader, open_resolver, open_transport
from common.handling import Stage
from common.ledger import Ledger
from common.reasons import Reason
from common.service import run_worker
from common.settings import Settings
from common.topology import Topology
from common.worker import Worker
from services.scraper.handler import Scraper
from services.scraper.notices import Notices
from services.scraper.sender import Sender
from services.scraper.store import Pages
from services.scraper.webhook import Webhook

NAME = "scraper"
WEBHOOK = "webhook"
"""Notices leave from here, as this is the worker of pages and may reach the internet."""
NOTIFIERS = 4


def wire(settings: Settings) -> Worker:
    """Put the scraper together."""
    topology = Topology.of(settings)
    database = connect(settings.mongo_url, application=NAME)
    threads = settings.scrape_concurrency
    downloader = open_downloader(
        settings,
        database,
        connections=threads,
        heeds_robots=settings.fetch_robots != "none",
        accept=PAGES,
        unreadable=Reason.NOT_HTML,
    )
    scraper = Scraper(Ledger(database), Pages(database), downloader, settings)
    sender = Sender(settings, open_resolver(settings), open_transport(settings, connections=NOTIFIERS))
    webhook = Webhook(Notices(database), sender, settings.webhook_secret)
    consumers = [
        Consumer(NAME, Stage(NAME, topology).each(scraper.handle), prefetch_count=threads, threads=threads),
        Consumer(WEBHOOK, Stage(WEBHOOK, topology).each(webhook.handle), prefetch_count=NOTIFIERS, threads=NOTIFIERS),
    ]
    return Worker(NAME, consumers, settings, topology)


if __name__ == "__main__":
    run_worker(NAME, wire)
