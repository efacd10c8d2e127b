"""A page's bytes in, its text and its images out. No network, no files; hostile input costs a few seconds at most."""

from dataclasses import dataclass

from services.scraper.about import read_about
from services.scraper.charset import decode
from services.scraper.images import PageImage, collect
from services.scraper.locations import base_of
from services.scraper.main_text import main_text
from services.scraper.markup import parse
from services.scraper.references import references
from services.scraper.text import visible_text

MOST_BYTES = 5 * 1024 * 1024
MOST_IMAGES = 500


@dataclass(frozen=True, slots=True)
class Page:
    """What a page shows: valid UTF-8 without control characters, lines ending with a newline.

    `images` are in document order, each once; `images_left_out` counts what was beyond the limit. `is_cut` tells that
    only the beginning of the page was read, as it has too many bytes or elements.
    """

    title: str
    language: str
    description: str
    canonical_url: str
    text: str
    main_text: str
    images: tuple[PageImage, ...]
    images_left_out: int
    is_cut: bool = False


def read_page(body: bytes, url: str, *, content_type: str = "", limit: int = MOST_IMAGES) -> Page:
    """Read a page that was fetched from `url`; `content_type` is its header's value. Never raises."""
    markup = parse(decode(body[:MOST_BYTES], content_type))
    base = base_of(markup.root, url)
    about = read_about(markup.root, base)
    text = visible_text(markup.root)
    found = collect(references(markup.root), base, limit=limit)
    return Page(
        about.title,
        about.language,
        about.description,
        about.canonical_url,
        text,
        main_text(markup.root, text),
        found.images,
        found.left_out,
        is_cut=markup.is_cut or len(body) > MOST_BYTES,
    )
