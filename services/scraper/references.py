"""What the elements of a page name as images, as it is written there, in document order.

HTML standard, 4.8.1 to 4.8.4 (`picture`, `source`, `img`), 4.8.8 (`video`), 4.10.5.1.19 (`input`), 15.3
(`background`); SVG 2 (`image`, `feImage`); the Open Graph protocol; and the attributes of the libraries that load
images when they are scrolled to. Content for browsers without scripts (`noscript`) is looked at like any other.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from lxml import etree
from lxml.html import HtmlElement

from services.scraper.css_images import image_addresses
from services.scraper.srcset import largest

LAZY_SETS = ("data-srcset", "data-lazy-srcset", "data-original-set")
LAZY = ("data-src", "data-lazy-src", "data-original", "data-lazy", "data-original-src", "data-hi-res-src")
LAZY_BACKGROUNDS = ("data-bg", "data-background", "data-background-image")
META_IMAGES = {"og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src"}
WITH_BACKGROUND = {"body", "table", "thead", "tbody", "tfoot", "tr", "td", "th"}
DECODED = re.compile(r"image/(?:x-)?(?:png|apng|jpe?g|pjpeg|gif|webp|bmp|ms-bmp)", re.IGNORECASE)
"""The types of the formats that we decode; a `picture` may offer AVIF as well, which would only fail."""
IMAGE_FILE = re.compile(r"[^?#]*\.(?:a?png|jpe?g|gif|webp|bmp|svg|avif|tiff?)(?:[?#]|\Z)", re.IGNORECASE)
MOST_CSS = 2 * 1024 * 1024
"""So many characters of CSS are looked through, in `<style>` and `style` together."""


def references(root: HtmlElement) -> Iterator[str]:
    """Give the references; some are empty or lead to no image. What is in an inert `<template>` is left out."""
    picture = _Picture()
    css_left = MOST_CSS
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        tag = str(element.tag)
        if event == "end":
            if tag == "picture":
                yield from picture.left_over()
            continue
        if tag == "template" and element.get("shadowrootmode") not in ("open", "closed"):
            walk.skip_subtree()
            continue
        if tag in ("picture", "source", "img"):
            yield from picture.take(element)
        elif tag in BY_TAG:
            yield from BY_TAG[tag](element)
        css = element.text or "" if tag == "style" else element.get("style", "")
        if css and css_left > 0:
            yield from image_addresses(css[:css_left])
            css_left -= len(css)
        if any(name.startswith("data-") for name in element.keys()):  # noqa: SIM118 - it is no mapping
            yield from _anywhere(element)


class _Picture:
    """The sources of the `<picture>` under way, until its `<img>` comes."""

    def __init__(self) -> None:
        self._sources: list[HtmlElement] = []

    def take(self, element: HtmlElement) -> Iterator[str]:
        """Take the next `picture`, `source` or `img`; the last gives what it shows."""
        parent = element.getparent()
        inside = parent is not None and parent.tag == "picture"
        if element.tag == "picture":
            self._sources = []
        elif element.tag == "source":
            if inside:
                self._sources.append(element)
        elif inside and self._sources:
            sources, self._sources = self._sources, []
            yield from _of_picture(sources, element)
        else:
            yield from _of_img(element)

    def left_over(self) -> Iterator[str]:
        """Give what a picture without an `<img>` would show once a script adds it."""
        sources, self._sources = self._sources, []
        if sources:
            yield from _of_picture(sources, None)


def _of_picture(sources: list[HtmlElement], img: HtmlElement | None) -> Iterator[str]:
    """Give one image for each `media`, as these may be different pictures; of several types the first we decode."""
    taken: dict[str, str] = {}
    for source in sources:
        address = _largest_of(source, *LAZY_SETS, "srcset") or _first_of(source, LAZY)
        kind = source.get("type", "").strip()
        if address and (not kind or DECODED.match(kind)):
            taken.setdefault(source.get("media", "").strip().lower(), address)
    yield from taken.values()
    own = [] if img is None else [address for address in _of_img(img) if address]
    if "" not in taken and "all" not in taken:
        yield from own
    if not taken and not own:
        yield from (address for source in sources[:1] if (address := _largest_of(source, *LAZY_SETS, "srcset")))


def _of_img(img: HtmlElement) -> Iterator[str]:
    shown = _largest_of(img, "srcset") or img.get("src", "")
    lazy = _largest_of(img, *LAZY_SETS) or _first_of(img, LAZY)
    # A data: URL that a script is to replace is a placeholder: one pixel, or a blur.
    if shown and not (lazy and shown.strip()[:5].lower() == "data:"):
        yield shown
    if lazy:
        yield lazy


def _largest_of(element: HtmlElement, *names: str) -> str:
    for name in names:
        srcset = element.get(name)
        if srcset and (address := largest(srcset)):
            return address
    return ""


def _first_of(element: HtmlElement, names: tuple[str, ...]) -> str:
    return next((value for name in names if (value := element.get(name))), "")


def _of_meta(meta: HtmlElement) -> Iterator[str]:
    name = meta.get("property") or meta.get("name") or ""
    if name.strip().lower() in META_IMAGES:
        yield meta.get("content", "")


def _of_link(link: HtmlElement) -> Iterator[str]:
    rel = link.get("rel", "").lower().split()
    if "image_src" in rel:
        yield link.get("href", "")
    elif "preload" in rel and link.get("as", "").lower() == "image":
        yield _largest_of(link, "imagesrcset") or link.get("href", "")


def _of_input(field: HtmlElement) -> Iterator[str]:
    if field.get("type", "").strip().lower() == "image":
        yield field.get("src", "") or _first_of(field, LAZY)


def _of_video(video: HtmlElement) -> Iterator[str]:
    yield video.get("poster", "") or video.get("data-poster", "")


def _of_svg_image(image: HtmlElement) -> Iterator[str]:
    # Outside SVG a browser takes `<image src>` for an `<img>` (13.2.6.4.7).
    yield image.get("href", "") or image.get("src", "")


def _of_embedded(element: HtmlElement) -> Iterator[str]:
    address = element.get("data" if element.tag == "object" else "src", "")
    kind = element.get("type", "").strip().lower()
    if kind.startswith("image/") or (not kind and (IMAGE_FILE.match(address) or address.startswith("data:image/"))):
        yield address


def _of_background(element: HtmlElement) -> Iterator[str]:
    yield element.get("background", "")


def _anywhere(element: HtmlElement) -> Iterator[str]:
    for name in LAZY_BACKGROUNDS:
        background = element.get(name, "")
        if "url(" in background.lower():
            yield from image_addresses(background)
        elif IMAGE_FILE.match(background):
            yield background
    if element.tag not in WITH_OWN_LAZY:
        yield from (value for name in LAZY if (value := element.get(name)) and IMAGE_FILE.match(value))


BY_TAG: Mapping[str, Callable[[HtmlElement], Iterator[str]]] = {
    "meta": _of_meta,
    "link": _of_link,
    "input": _of_input,
    "video": _of_video,
    "image": _of_svg_image,
    "feimage": _of_svg_image,
    "object": _of_embedded,
    "embed": _of_embedded,
    **dict.fromkeys(WITH_BACKGROUND, _of_background),
}
WITH_OWN_LAZY = {"img", "source", "input", "iframe", "script", "video", "audio", "track", "embed"}
