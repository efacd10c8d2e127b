"""What a page says about itself in its head."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml.html import HtmlElement

from services.scraper.characters import one_line
from services.scraper.locations import web_address

LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")
"""A language tag's form (RFC 5646, 2.1)."""
LONGEST = 5_000


@dataclass(frozen=True, slots=True)
class About:
    """One line each, empty where the page does not say. `canonical_url` is absolute, http or https."""

    title: str
    language: str
    description: str
    canonical_url: str


def read_about(root: HtmlElement, base: str) -> About:
    """Give what the page says."""
    return About(_title(root), _language(root), _description(root), _canonical_url(root, base))


def _title(root: HtmlElement) -> str:
    """HTML standard, 3.1.5 (`document.title`): the first `<title>` that is not one of a drawing."""
    for title in root.iter("title"):
        if next(title.iterancestors("svg"), None) is None:
            return one_line("".join(title.itertext()))[:LONGEST]
    return ""


def _language(root: HtmlElement) -> str:
    """HTML standard, 3.2.6.2: `lang` on the root, else the pragma (4.2.5.3); here also `lang` on the body."""
    body = root.find("body")
    pragma = _meta(root, "http-equiv", "content-language")
    for value in (root.get("lang"), None if body is None else body.get("lang"), pragma):
        tag = (value or "").strip().replace("_", "-")
        if len(tag) <= 35 and LANGUAGE.fullmatch(tag):
            return tag
    return ""


def _description(root: HtmlElement) -> str:
    """HTML standard, 4.2.5.1 (`description`), else the Open Graph protocol's."""
    found = _meta(root, "name", "description") or _meta(root, "property", "og:description")
    return one_line(found)[:LONGEST]


def _canonical_url(root: HtmlElement, base: str) -> str:
    """RFC 6596."""
    for link in root.iter("link"):
        if "canonical" in link.get("rel", "").lower().split() and (url := web_address(base, link.get("href", ""))):
            return url
    return ""


def _meta(root: HtmlElement, attribute: str, name: str) -> str:
    return next((content for content in _contents(root, attribute, name) if content.strip()), "")


def _contents(root: HtmlElement, attribute: str, name: str) -> Iterator[str]:
    for meta in root.iter("meta"):
        if meta.get(attribute, "").strip().lower() == name:
            yield meta.get("content", "")
