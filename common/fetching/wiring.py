"""A downloader put together from the settings, the same for every service that fetches."""

import logging

from common.errors import ConfigurationError
from common.fetching.addresses import Resolver
from common.fetching.download import Downloader
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
    settings: Settings, *, connections: int, accept: str = IMAGES, unreadable: Reason = Reason.NOT_AN_IMAGE
) -> Downloader:
    """Make a downloader for so many threads."""
    if settings.fetch_allow_nets:
        log.warning("non-public networks that are fetched from: %s", ", ".join(map(str, settings.fetch_allow_nets)))
    transport = open_transport(settings, connections=connections, accept=accept)
    return Downloader(settings, open_resolver(settings), transport, unreadable=unreadable)


def _user_agent(contact: str) -> str:
    if not (contact.isascii() and contact.isprintable()):
        raise ConfigurationError("FETCH_CONTACT: must be printable ASCII, as it stands in a header")
    return f"Graymill/{VERSION} (+{contact})" if contact else f"Graymill/{VERSION}"
