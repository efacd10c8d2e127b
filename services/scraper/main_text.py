"""The main content of a page, without what surrounds it: trafilatura's judgement."""

from copy import deepcopy

import trafilatura
from lxml import etree
from lxml.html import HtmlElement

from services.scraper.characters import cleaned
from services.scraper.text import is_shown

MOST_ELEMENTS = 40_000
MOST_DEPTH = 128
MOST_CHARACTERS = 1_000_000
"""What has more is hardly an article; all its text is there still."""
MOST_ELEMENTS_COMPARED = 5_000
"""The time it takes to compare its result with other extractors' grows with the square of the page; above this it
does not, and one second does for the largest."""


def main_text(root: HtmlElement, visible_text: str) -> str:
    """Give the main content, or an empty string when none is found or the page is too large to be judged."""
    elements, depth = _extent(root)
    if elements > MOST_ELEMENTS or depth > MOST_DEPTH or len(visible_text) > MOST_CHARACTERS:
        return ""
    tree = deepcopy(root)
    for element in [element for element in tree.iter() if not is_shown(element)]:
        if element.getparent() is not None:
            element.drop_tree()
    try:
        found = trafilatura.extract(
            tree,
            fast=elements > MOST_ELEMENTS_COMPARED,
            include_comments=False,
            include_tables=True,
            output_format="txt",
        )
    except (etree.LxmlError, ValueError, TypeError, AttributeError, LookupError, RecursionError):
        return ""  # it is made for pages that people wrote; no tree may stop the others' work
    return cleaned(found or "").strip()


def _extent(root: HtmlElement) -> tuple[int, int]:
    """Give the number of elements, and how deep they are nested."""
    elements = depth = deepest = 0
    for event, _element in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        elements += event == "start"
        deepest = max(deepest, depth)
    return elements, deepest
