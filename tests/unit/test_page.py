"""What is read of a page besides its text and images, and the limits."""

import pytest

from services.scraper.images import BrokenImage, InlineImage, LinkedImage
from services.scraper.page import MOST_BYTES, Page, read_page
from tests.scraped_pages import ScrapedPage

URL = "http://site.example/pages/p.html"


def read(html: str, *, limit: int = 500) -> Page:
    return read_page(html.encode(), URL, content_type="text/html; charset=utf-8", limit=limit)


def test_a_page_tells_about_itself() -> None:
    page = ScrapedPage("news").read()
    assert page.title == "Ferry returns to the lake — The Tarn Gazette"
    assert page.language == "en-GB"
    assert page.description == "After eleven years the paddle ferry crosses again."
    assert page.canonical_url == "http://site.example/2024/ferry-returns"
    assert not page.is_cut


def test_the_main_text_is_without_what_surrounds_it() -> None:
    main = ScrapedPage("news").read().main_text
    assert "laid up eleven years ago crossed the lake again" in main.replace("\n", " ")
    assert "Volunteers replaced 1,200 rivets" in main
    for boilerplate in ("Sport", "Herring festival", "The Tarn Gazette", "Please switch scripts on"):
        assert boilerplate not in main


@pytest.mark.parametrize("html", ["", " ", "<!--", "<html></html>", "<script>x</script>", "\0\0", "<p hidden>x</p>"])
def test_an_empty_page_is_a_page(html: str) -> None:
    page = read(html)
    assert (page.title, page.main_text, page.images) == ("", "", ())
    assert page.text == ""


def test_a_page_that_says_nothing_about_itself_has_empty_fields() -> None:
    page = read("<svg><title>drawing</title></svg><link rel=canonical href='javascript:x'><html lang='!'>x")
    assert (page.title, page.language, page.description, page.canonical_url) == ("", "", "", "")


def test_other_ways_to_say_it() -> None:
    page = read(
        "<body lang=pt_BR><meta property=og:description content=' from  the graph '><meta name=description content=' '>"
        "<link rel='x CANONICAL' href=../c#f><title>Late\n title</title>"
    )
    assert (page.title, page.language, page.description) == ("Late title", "pt-BR", "from the graph")
    assert page.canonical_url == "http://site.example/c"


def test_images_beyond_the_limit_are_counted_each_once() -> None:
    page = read("<img src=a><img src=b><img src=a><img src=c><img src=c#x><img src=data:,x><img src=ftp://x/>", limit=2)
    assert page.images == (LinkedImage("http://site.example/pages/a"), LinkedImage("http://site.example/pages/b"))
    assert page.images_left_out == 2


def test_bad_images_are_told() -> None:
    page = read(f"<img src='data:image/png;base64,!'><img src='/{'x' * 9000}'><img src='http://['><img src=data:a/b,c>")
    assert [type(image) for image in page.images] == [BrokenImage, BrokenImage, BrokenImage, InlineImage]
    assert all(len(image.url) <= 80 for image in page.images)


def test_a_page_that_is_too_long_is_read_to_the_limit() -> None:
    page = read_page(b"<p>begins</p>" + b"x" * MOST_BYTES + b"<p>ends</p>", URL)
    assert page.is_cut
    assert page.text.startswith("begins")
    assert "ends" not in page.text


def test_what_is_in_the_text_stays_text() -> None:
    page = read("<title>&lt;script&gt;alert(1)&lt;/script&gt;</title><p>&lt;b&gt;&amp;amp; &#x1;&#27;&#xD800;&#xFFFE;")
    assert page.title == "<script>alert(1)</script>"
    assert page.text == "<b>&amp; \ufffd"


def test_external_entities_are_none(tmp_path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret words")
    page = read(
        f'<!DOCTYPE html [<!ENTITY x SYSTEM "file://{secret}">]><p>&x;</p><?xml-stylesheet href="file://{secret}"?>'
    )
    assert "secret words" not in page.text
    assert "&x;" in page.text


def test_the_first_picture_source_we_decode_stands_for_its_media() -> None:
    page = read(
        "<picture><source type=image/avif srcset=a.avif><source media='(min-width: 9px)' srcset=wide.jpg>"
        "<source type=image/webp srcset='a.webp, a2.webp 2x'><source type=image/png srcset=a.png>"
        "<img src=a.jpg></picture>"
        "<picture><source type=image/avif srcset=only.avif></picture>"
    )
    assert [image.url.rpartition("/")[2] for image in page.images] == ["wide.jpg", "a2.webp", "only.avif"]
