"""What counts as an HTML page."""

import pytest

from common.errors import Permanent
from common.reasons import Reason
from services.scraper.html import check_html

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"no tag at all", "text/html"),
        (b"<p>x", "text/html; charset=koi8-r"),
        (b"<p>x", " Text/HTML ;charset=x"),
        (b"<html xmlns='x'/>", "application/xhtml+xml"),
        (b"<!DOCTYPE html><p>x", ""),
        (b"\xef\xbb\xbf\n\t <HTML>", "text/plain"),
        (b"<!--x--><p>", "application/octet-stream"),
        ("<html>".encode("utf-16"), ""),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "text/html"),
    ],
)
def test_a_page_is_accepted(body: bytes, content_type: str) -> None:
    check_html(body, content_type)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (PNG, "text/html"),
        (PNG, ""),
        (b"%PDF-1.7", "text/html"),
        (b"PK\x03\x04", ""),
        (b"{}", "application/json"),
        (b"<html>", "application/json"),
        (b"<p>x", "image/png"),
        (b"plain words", ""),
        (b"plain words", "text/plain"),
        (b"<rss version='2.0'>", "text/xml"),
        (b"<preposterous>", ""),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", ""),
    ],
)
def test_anything_else_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(Permanent) as refused:
        check_html(body, content_type)
    assert refused.value.reason is Reason.NOT_HTML
