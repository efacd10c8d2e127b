"""The tree of a page, built from what the parser reads, within limits."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from lxml import etree
from lxml.html import HtmlElement, HTMLParser

from services.scraper.characters import WHITE_SPACE, cleaned

MOST_DEPTH = 512
"""As in Chromium: what is nested deeper stands beside, not inside."""
MOST_ELEMENTS = 250_000
MOST_ATTRIBUTES = 256
VOID = {"source", "track", "wbr"}
"""Void elements (HTML standard, 13.1.2) that libxml2 takes for containers."""
METADATA = {"base", "link", "meta", "noscript", "script", "style", "template", "title"}
"""What a head may have (HTML standard, 13.2.6.4.4, "in head"); anything else begins the body."""
NAME = re.compile(r"[a-z_][a-z0-9_.-]*")
NOT_NAME = re.compile(r"[^a-z0-9_.-]+")
RENAMED = {"xlink:href": "href", "xml:lang": "lang"}


class LimitReached(Exception):
    """The page has more elements than we take."""


@dataclass(slots=True)
class Allowance:
    """What a document and the documents inside it may still have together."""

    elements: int
    steps: int
    frames: int

    def take_frame(self) -> bool:
        """Take one document more, if there may be one."""
        self.frames -= 1
        return self.frames >= 0


class TreeTarget:
    """Builds the tree; the methods are those that lxml calls for a parser's events.

    libxml2 ends `html` and `body` at their end tags and begins them anew for what follows, and it leaves elements it
    does not know in the head. Here there is one head and one body, what no head may have begins the body, and what a
    second `<html>` or `<body>` has is added (HTML standard, 13.2.6.4.7).
    """

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._builder = etree.TreeBuilder(element_factory=HTMLParser().makeelement)
        self._builder.start("html", {})
        self._root_attributes: dict[str, str] = {}
        self._body_attributes: dict[str, str] = {}
        self._body_has_begun = False
        self._open = ["html"]
        self._outer = 1
        self._too_deep = 0
        self._head_is_open = False
        self._text: list[str] = []
        self._tree: HtmlElement | None = None
        self.parser_depth = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Take a start tag."""
        self._flush()
        self.parser_depth += 1
        if tag == "html":
            self._root_attributes = _sound(attributes) | self._root_attributes
        elif tag == "head":
            self._begin_head()
        elif tag == "body":
            self._begin_body()
            self._body_attributes = _sound(attributes) | self._body_attributes
        else:
            self._begin(NOT_NAME.sub("-", tag.lower()), attributes)

    def end(self, tag: str) -> None:
        """Take an end tag, written or implied."""
        self._flush()
        self.parser_depth -= 1
        if tag in VOID or tag in ("html", "head", "body"):
            return
        if self._too_deep:
            self._too_deep -= 1
            if len(self._open) - self._outer == MOST_DEPTH:
                self._builder.end(self._open.pop())
            return
        if len(self._open) > self._outer:
            self._builder.end(self._open.pop())

    def data(self, text: str) -> None:
        """Take a piece of text."""
        if not self._body_has_begun and len(self._open) == self._outer and text.strip(WHITE_SPACE):
            self._begin_body()
        self._text.append(text)

    def close(self) -> HtmlElement:
        """Give the tree, also of a page that was not read to its end; lxml calls it as well."""
        if self._tree is None:
            self._flush()
            while self._open:
                self._builder.end(self._open.pop())
            self._tree = cast(HtmlElement, self._builder.close())
            self._tree.attrib.update(self._root_attributes)
            body = self._tree.find("body")
            if body is not None:
                body.attrib.update(self._body_attributes)
        return self._tree

    def _flush(self) -> None:
        """Add the text read since the last tag; it comes in pieces as small as one character."""
        if self._text:
            self._builder.data(cleaned("".join(self._text)))
            self._text.clear()

    def _begin(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._allowance.elements -= 1
        if self._allowance.elements < 0:
            raise LimitReached
        if not self._body_has_begun and len(self._open) == self._outer and not (self._head_is_open and tag in METADATA):
            self._begin_body()
        if self._too_deep or len(self._open) - self._outer >= MOST_DEPTH:
            if tag not in VOID:
                self._too_deep += 1
            if len(self._open) - self._outer == MOST_DEPTH:
                self._builder.end(self._open.pop())
        self._builder.start(tag, _sound(attributes))
        if tag in VOID:
            self._builder.end(tag)
        else:
            self._open.append(tag)

    def _begin_head(self) -> None:
        if not self._body_has_begun and not self._head_is_open and len(self._open) == 1:
            self._builder.start("head", {})
            self._open.append("head")
            self._outer = 2
            self._head_is_open = True

    def _begin_body(self) -> None:
        if not self._body_has_begun:
            self._flush()
            while len(self._open) > 1:
                self._builder.end(self._open.pop())
            self._head_is_open = False
            self._builder.start("body", {})
            self._body_has_begun = True
            self._open.append("body")
            self._outer = 2


def _sound(attributes: Mapping[str, str]) -> dict[str, str]:
    """Give the attributes that a tree can have; of two with one name the first."""
    if not attributes:
        return {}
    sound: dict[str, str] = {}
    for name, value in list(attributes.items())[:MOST_ATTRIBUTES]:
        short = RENAMED.get(name, name)
        if NAME.fullmatch(short):
            sound.setdefault(short, cleaned(value or ""))
    return sound
