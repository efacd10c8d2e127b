"""Downloaders for tests, with small limits and names that lead to loopback."""

from collections.abc import Sequence

import pytest

from common.errors import ItemError
from common.fetching.addresses import Resolver
from common.fetching.download import Downloader
from common.fetching.lookups import LookUp, by_the_system
from common.fetching.signature import media_type
from common.fetching.transport import Transport
from common.settings import Settings

FORMATS = Settings.from_environ({}).image_formats
SMALL_LIMITS = {
    "FETCH_ALLOW_NETS": "127.0.0.2/32",
    "CONNECT_TIMEOUT_SECONDS": "0.5",
    "IDLE_TIMEOUT_SECONDS": "0.5",
    "TOTAL_TIMEOUT_SECONDS": "1",
}


def downloader(
    look_up: LookUp = by_the_system, *, certificates: str | None = None, threads: int = 32, **limits: str
) -> Downloader:
    """Put one together as the fetcher does."""
    settings = Settings.from_environ({"FETCH_ALLOW_NETS": "127.0.0.2/32", **limits})
    resolver = Resolver(settings.fetch_allow_nets, timeout_seconds=settings.connect_timeout_seconds, look_up=look_up)
    transport = Transport(connections_per_host=threads, user_agent="Graymill/tests", certificates=certificates)
    return Downloader(settings, resolver, transport)


def in_a_hurry(look_up: LookUp = by_the_system, **limits: str) -> Downloader:
    """Give one that ends within a second."""
    return downloader(look_up, **{**SMALL_LIMITS, **limits})


def names(**table: Sequence[str]) -> LookUp:
    """Resolve names by a table; an underscore stands for a dot."""
    addresses = {name.replace("_", "."): list(found) for name, found in table.items()}
    return lambda host: addresses[host]


def image_type(downloader: Downloader, url: str, formats: Sequence[str] = FORMATS) -> str:
    """Download an image as the fetcher does; gives its media type."""
    return media_type(downloader.download(url).body, tuple(formats))


def failure(downloader: Downloader, url: str, formats: Sequence[str] = FORMATS) -> ItemError:
    """Give what the download of an image ends with."""
    with pytest.raises(ItemError) as caught:
        image_type(downloader, url, formats)
    return caught.value
