"""The images of a page: where they are, or the bytes of those that stand in the page itself."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.scraper.data_urls import NoData, read_data_url
from services.scraper.locations import FETCHED, Unresolvable, has_host, resolve, scheme_of

LONGEST_URL = 8_192
"""A longer address is told as broken; what the fetcher asks for is shorter still."""
MOST_INLINE_BYTES = 4 * 1024 * 1024
SHOWN_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class LinkedImage:
    """An image to be fetched; `url` is absolute, http or https, without a fragment."""

    url: str


@dataclass(frozen=True, slots=True)
class InlineImage:
    """An image in a `data:` URL, of which `url` is the beginning. `media_type` is as told, and may be empty."""

    url: str
    media_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class BrokenImage:
    """What the page names as an image and is no URL or has no data. `url` is its beginning."""

    url: str
    detail: str


PageImage = LinkedImage | InlineImage | BrokenImage


@dataclass(frozen=True, slots=True)
class FoundImages:
    """The first images of a page, each once, and how many there were besides."""

    images: tuple[PageImage, ...]
    left_out: int


def collect(references: Iterable[str], base: str, *, limit: int) -> FoundImages:
    """Give what the references lead to, each once in their order.

    Other schemes than http, https and data are no images; they are not counted.
    """
    images: list[PageImage] = []
    seen: set[str] = set()
    for reference in references:
        text = reference.strip()
        if not text or text.startswith("#"):
            continue  # the page itself, or a part of it
        try:
            key = resolve(base, text)
        except Unresolvable:
            key = text
        if key in seen or scheme_of(key) not in (*FETCHED, "data"):
            continue
        seen.add(key)
        if len(images) < limit:
            images.append(_image(key))
    return FoundImages(tuple(images), len(seen) - len(images))


def _image(url: str) -> PageImage:
    shown = url[:SHOWN_CHARACTERS]
    try:
        if scheme_of(url) == "data":
            return InlineImage(shown, *read_data_url(url, most_bytes=MOST_INLINE_BYTES))
    except NoData as error:
        return BrokenImage(shown, str(error))
    if len(url) > LONGEST_URL:
        return BrokenImage(shown, f"an address of {len(url):,} characters")
    if not has_host(url):
        return BrokenImage(shown, "no host in the address")
    return LinkedImage(url)
