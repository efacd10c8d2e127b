"""A page's characters become a tree: in bounded time, without a file or an address being opened.

libxml2's HTML parser tells what it reads and the tree is built from that (see `tree`). On its own it would stop at what
is nested too deep, and lose the rest. It knows no entities but HTML's own.
"""

from dataclasses import dataclass
from typing import Any, cast

from lxml import etree
from lxml.html import HtmlElement

from services.scraper.characters import WHITE_SPACE
from services.scraper.tree import MOST_ELEMENTS, Allowance, LimitReached, TreeTarget

PIECE_BYTES = 8 * 1024
MOST_STEPS = 250_000_000
"""For an end tag that ends nothing the parser looks through all that is open; so many looks take about a second."""
MOST_FRAMES = 100


@dataclass(frozen=True, slots=True)
class Markup:
    """A tree with one head at most and one body, and whether it is the beginning of the page only."""

    root: HtmlElement
    is_cut: bool


def parse(text: str) -> Markup:
    """Give the tree of a page. Never raises.

    What a browser shows from inside an attribute or a raw text is in the tree as well: the document of an
    `<iframe srcdoc>` (HTML standard, 4.8.5) and, where there is a `<frameset>`, the `<noframes>` beside it (16.3.3).
    """
    allowance = Allowance(MOST_ELEMENTS, MOST_STEPS, MOST_FRAMES)
    root, is_cut = _read(text, allowance)
    has_frames = next(root.iter("frameset"), None) is not None
    for place in list(root.iter("iframe", "noframes")):
        inner = place.get("srcdoc") if place.tag == "iframe" else place.text if has_frames else None
        place.text = None  # what browsers without frames would show
        if inner and allowance.take_frame():
            document, inner_is_cut = _read(inner, allowance)
            is_cut |= inner_is_cut
            body = document.find("body")
            if body is not None:
                body.tag = "div"
                place.append(body)
    return Markup(root, is_cut)


def _read(text: str, allowance: Allowance) -> tuple[HtmlElement, bool]:
    target = TreeTarget(allowance)
    # lxml asks for the methods of a target that it has; its types ask for all there are.
    parser = etree.HTMLParser(target=cast(Any, target), encoding="utf-8", no_network=True, huge_tree=True)
    source = text.lstrip(WHITE_SPACE).encode("utf-8", "replace")
    try:
        for start in range(0, len(source), PIECE_BYTES):
            piece = source[start : start + PIECE_BYTES]
            parser.feed(piece)
            allowance.steps -= target.parser_depth * piece.count(b"</")
            if allowance.steps < 0:
                return target.close(), True
        if source:
            parser.close()
    except LimitReached:
        return target.close(), True
    except etree.LxmlError:
        return target.close(), False  # there is no element in it, or the parser gave it up
    return target.close(), False
