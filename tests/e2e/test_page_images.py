"""Every image that a real browser asks for when it shows a page is one that we find.

Browsers ask for one variant of an image that has several; we list the largest of a set, and of several formats one
that we decode. A variant of the same `<img>`, `<picture>` or `imagesrcset` therefore counts as found.
"""

from collections.abc import Iterator
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from common.fetching.target import read_target
from services.scraper.images import LinkedImage
from services.scraper.page import Page
from services.scraper.srcset import candidates
from tests.browser_world import open_page, serving
from tests.scraped_pages import NAMES, ScrapedPage

GROUPS = """
() => [...document.querySelectorAll('img, picture, link[imagesrcset]')].map(element => {
    const members = [element, ...element.querySelectorAll('source, img')];
    if (element.closest('picture') && element.localName === 'img') members.push(...element.closest('picture').children);
    return {
        addresses: members.flatMap(member => [member.src, member.href]).filter(url => url && URL.canParse(url)),
        sets: members.flatMap(member => [member.getAttribute('srcset'), member.getAttribute('imagesrcset')])
            .filter(Boolean),
    };
})
"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving() as address:
        yield address


def spelled_alike(url: str) -> str:
    """Give a URL as the fetcher asks for it, as the browser does not tell what stood in the page."""
    return read_target(url.partition("#")[0], max_length=10_000).url


def variants(tab: Tab) -> list[set[str]]:
    """Give, for each image of the page, all addresses it may have."""
    base = tab.evaluate("document.baseURI")
    groups = []
    for group in tab.evaluate(GROUPS):
        of_sets = [candidate.address for text in group["sets"] for candidate in candidates(text)]
        urls = (*group["addresses"], *(urljoin(base, text) for text in of_sets))
        groups.append({spelled_alike(url) for url in urls if url.startswith("http")})
    return groups


def found_by_us(page: Page) -> set[str]:
    return {spelled_alike(image.url) for image in page.images if isinstance(image, LinkedImage)}


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("name", NAMES)
def test_every_image_the_browser_asks_for_is_found(browser: Browser, address: str, name: str, scale: int) -> None:
    tab, asked = open_page(browser, address, name, scale=scale)
    found = found_by_us(ScrapedPage(name).read(address))
    groups = variants(tab)
    tab.close()
    missing = {
        url
        for url in map(spelled_alike, asked)
        if url not in found and not any(url in group and group & found for group in groups)
    }
    assert missing == set()
