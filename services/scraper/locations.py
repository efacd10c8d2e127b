"""Where the references of a page lead."""

import re
from urllib.parse import urljoin, urlsplit

from lxml.html import HtmlElement

STRIPPED = "".join(map(chr, range(0x21)))
"""C0 controls and space."""
LEFT_OUT = re.compile("[\t\n\r]+")
FETCHED = ("http", "https")
BEFORE_QUERY = re.compile(r"[^?#]*")
NO_BASE = ("data", "javascript")


class Unresolvable(Exception):
    """What the page names is no URL; the text says why."""


def base_of(root: HtmlElement, page_url: str) -> str:
    """Give the URL that references are relative to: the first `<base href>`, else the page's own.

    HTML standard, 4.2.3: a base that is no URL, `data:` or `javascript:` does not count. It leads where it leads: an
    address that may not be asked is refused by who asks.
    """
    for base in root.iter("base"):
        href = base.get("href")
        if href is not None:
            try:
                location = resolve(page_url, href)
            except Unresolvable:
                return page_url
            return page_url if scheme_of(location) in NO_BASE else location
    return page_url


def resolve(base: str, reference: str) -> str:
    """Give the URL, without its fragment. Raises Unresolvable.

    As urljoin does, with what the URL standard (4.4, "basic URL parser") does before: white space around the
    reference and line breaks inside are left out, and a backslash in a path is a slash.
    """
    reference = LEFT_OUT.sub("", reference.strip(STRIPPED))
    if scheme_of(reference) == "data":
        return reference
    if "\\" in reference:
        path = BEFORE_QUERY.match(reference)
        end = path.end() if path else 0
        reference = reference[:end].replace("\\", "/") + reference[end:]
    try:
        url = urljoin(base, reference.partition("#")[0])
    except ValueError as error:
        raise Unresolvable(str(error)) from error
    scheme = scheme_of(url)
    return scheme + url[len(scheme) :]


def scheme_of(url: str) -> str:
    """Give the scheme in lower case; empty when there is none."""
    head, colon, _rest = url[:40].partition(":")
    return head.lower() if colon and head.isascii() and head[:1].isalpha() and "/" not in head else ""


def has_host(url: str) -> bool:
    """Tell whether a URL names a host."""
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:
        return False


def web_address(base: str, reference: str) -> str:
    """Give an http or https URL, or an empty string where the reference leads to none."""
    try:
        url = resolve(base, reference)
    except Unresolvable:
        return ""
    return url if reference.strip() and scheme_of(url) in FETCHED and has_host(url) else ""
