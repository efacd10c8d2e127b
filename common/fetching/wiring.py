"""A downloader put together from the settings, the same for every service that fetches."""

import logging
from dataclasses import replace

from common.database import Database
from common.errors import ConfigurationError
from common.fetching.addresses import Resolver
from common.fetching.download import Downloader
from common.fetching.pauses import Pauses
from common.fetching.robots import MOST_READ_BYTES, MOST_REDIRECTS, Robots
from common.fetching.transport import IMAGES, Transport
from common.reasons import Reason
from common.settings import Settings

VERSION = "0.1"

log = logging.getLogger(__name__)


def open_resolver(settings: Settings) -> Resolver:
    """Make what decides where a connection may go."""
    return Resolver(settings.fetch_allow_nets, timeout_seconds=settings.connect_timeout_seconds)


def open_transport(settings: Settings, *, connections: int, accept: str = IMAGES) -> Transport:
    """Make what sends requests under our name; raises ConfigurationError for a contact that no header can hold."""
    return Transport(connections_per_host=connections, user_agent=_user_agent(settings.fetch_contact), accept=accept)


def open_downloader(
    settings: Settings,
    database: Database,
    *,
    connections: int,
    heeds_robots: bool,
    accept: str = IMAGES,
    unreadable: Reason = Reason.NOT_AN_IMAGE,
) -> Downloader:
    """Make a downloader for so many threads."""
    if settings.fetch_allow_nets:
        log.warning("non-public networks that are fetched from: %s", ", ".join(map(str, settings.fetch_allow_nets)))
    resolver = open_resolver(settings)
    transport = open_transport(settings, connections=connections, accept=accept)
    pauses = Pauses(database, settings)
    robots = open_robots(settings, resolver, transport, pauses) if heeds_robots else None
    return Downloader(settings, resolver, transport, pauses=pauses, robots=robots, unreadable=unreadable)


def open_robots(settings: Settings, resolver: Resolver, transport: Transport, pauses: Pauses | None = None) -> Robots:
    """Make what asks for robots.txt, as carefully as for any other file of a stranger."""
    limits = replace(settings, max_body_bytes=MOST_READ_BYTES, max_redirects=MOST_REDIRECTS, honour_opt_out=False)
    downloader = Downloader(limits, resolver, transport, pauses=pauses, cuts=True)
    return Robots(lambda url, seconds: downloader.download(url, within_seconds=seconds).body)


def _user_agent(contact: str) -> str:
    if not (contact.isascii() and contact.isprintable()):
        raise ConfigurationError("FETCH_CONTACT: must be printable ASCII, as it stands in a header")
    return f"Graymill/{VERSION} (+{contact})" if contact else f"Graymill/{VERSION}"
