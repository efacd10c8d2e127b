"""Pages made to break or to hold up the scraper: nothing raises, everything ends soon."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scraper.page import Page, read_page
from tests.scraped_pages import NAMES, ScrapedPage

URL = "http://site.example/"
MOST_SECONDS = 10.0
"""Of processor time, on a slow machine; two or three are usual for the worst of these."""
LEAVES = b"<img src=x>text"


def read_soon(body: bytes, **options: int) -> Page:
    start = time.process_time()
    page = read_page(body, URL, **options)
    assert time.process_time() - start < MOST_SECONDS
    for text in (page.title, page.text, page.main_text, page.description):
        text.encode()
    return page


def test_100_000_images() -> None:
    page = read_soon(b"".join(b'<p><img src="/i/%d.png">' % number for number in range(100_000)))
    assert len(page.images) == 500
    assert page.images_left_out == 99_500
    assert not page.is_cut


@pytest.mark.parametrize(
    "tag", [b"div", b"b", b"p", b"span", b"table", b"li", b"font", b"x-y", b"svg", b"details", b"a"]
)
def test_10_000_nested_tags(tag: bytes) -> None:
    page = read_soon(b"<%s>" % tag * 10_000 + b"inner" + b"</%s>" % tag * 10_000 + b"<p>after<img src=x>")
    assert page.text.replace("\n", "").replace("\t", "") == "innerafter"
    assert [image.url for image in page.images] == ["http://site.example/x"]


def test_what_is_hidden_stays_hidden_however_deep() -> None:
    page = read_soon(b"<div>" * 600 + b"<script>no()</script><p hidden>no</p>yes" + b"</div>" * 600)
    assert page.text == "yes"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"<b>" * 1_700_000, id="formatting without end"),
        pytest.param(b"<table><tr><td>" * 300_000, id="tables in tables"),
        pytest.param(b"<div>" * 20_000 + b"</p>" * 1_200_000, id="ends of nothing"),
        pytest.param(b"<b>" * 200_000 + b"</p>" * 1_100_000, id="ends of nothing, far down"),
        pytest.param(b"<div><div>text</div></div>" * 9_000, id="many equal blocks"),
        pytest.param((b"<div><p>text" * 60 + b"</div>" * 60) * 150, id="many deep blocks"),
        pytest.param(b"&lt;&amp;&CounterClockwiseContourIntegral;" * 130_000, id="entities"),
        pytest.param(
            b"<!DOCTYPE x [<!ENTITY a '" + b"&b;" * 1000 + b"'>]>" + b"&a;" * 1_000_000, id="entities of entities"
        ),
        pytest.param(b'<img src=x alt="' + b"x" * 5_000_000 + b'">text', id="gigantic attribute"),
        pytest.param(
            b"<img src=x " + b"".join(b"a%d=1 " % number for number in range(300_000)) + b">", id="attributes"
        ),
        pytest.param(b"<img srcset='" + b"a 1x, " * 800_000 + b"'>", id="candidates"),
        pytest.param(b"<img srcset='" + b"a (" * 1_500_000 + b"'>", id="parentheses in srcset"),
        pytest.param(b"<style>" + b"'\\\n" * 1_500_000, id="strings in CSS"),
        pytest.param(b"<style>" + b"url(" * 1_200_000, id="functions in CSS"),
        pytest.param(b"<style>" + b"/*" * 2_500_000, id="comments in CSS"),
        pytest.param(b"<i style='" + b"u\\72l(" * 800_000 + b"'>", id="escapes in CSS"),
        pytest.param(b"<i style='" + b";display:" * 500_000 + b"'>", id="declarations"),
        pytest.param(b"<" * 5_000_000, id="less than"),
        pytest.param(b"<!--" * 1_200_000, id="comments"),
        pytest.param(b"<meta " * 800_000, id="unclosed tags"),
        pytest.param(b"<meta a='" * 500_000, id="unclosed values"),
        pytest.param(b"\0" * 5_000_000, id="zeros"),
        pytest.param(bytes(range(256)) * 20_000, id="all bytes"),
        pytest.param(b"\x81\xb5\xc4\xff" * 1_250_000, id="no encoding"),
        pytest.param(b" " * 5_000_000 + b"x", id="white space"),
        pytest.param(b"<pre>" + b"\n" * 5_000_000, id="empty lines"),
        pytest.param(b"<iframe srcdoc='" + b"&lt;p>x" * 600_000 + b"'>", id="document in a document"),
        pytest.param(b"<iframe srcdoc='<b>x'></iframe>" * 100_000, id="documents in a document"),
        pytest.param(b"<frameset><noframes><p>x</noframes>" * 100_000, id="frames"),
        pytest.param(b"<base href='//a:b@[::1'>" * 100_000 + LEAVES, id="bases"),
        pytest.param(b"".join(b"<img src='data:,%d'>" % number for number in range(150_000)), id="data URLs"),
        pytest.param(b"<img src='data:image/png;base64," + b"A" * 5_000_000 + b"'>", id="one data URL"),
        pytest.param(b"<title>" * 500_000, id="titles"),
        pytest.param(b"<svg><title>" * 200_000, id="titles of drawings"),
        pytest.param(b"<td>x" * 800_000, id="cells"),
        pytest.param(b"<picture><source srcset=a>" * 150_000, id="pictures"),
        pytest.param(b"<wbr>" * 900_000, id="void elements"),
    ],
)
def test_nothing_takes_long(body: bytes) -> None:
    read_soon(body)


@given(st.binary(max_size=2_000), st.text(max_size=30))
def test_any_bytes_are_a_page(body: bytes, content_type: str) -> None:
    page = read_page(body, URL, content_type=content_type)
    page.text.encode()


PIECES = [
    *(
        "<p>",
        "</p>",
        "<div hidden>",
        "</div>",
        "<table>",
        "<tr>",
        "<td>",
        "</table>",
        "<b>",
        "</b>",
        "<script>",
        "</script>",
    ),
    *(
        "<template>",
        "</template>",
        "<head>",
        "</head>",
        "<body a=1>",
        "</body>",
        "<html lang=x>",
        "</html>",
        "<frameset>",
    ),
    *(
        "<noframes>",
        "</noframes>",
        "<svg>",
        "<image href=a>",
        "</svg>",
        "<picture>",
        "<source srcset='a 1x,b'>",
        "<img src=",
        "x>",
    ),
    *(
        "</picture>",
        "<iframe srcdoc='&lt;p>",
        "'>",
        '"',
        "<pre>\n",
        "</pre>",
        "<style>",
        "url(",
        "</style>",
        "<select>",
        "<option>",
    ),
    *(
        "<p style='display:none'>",
        "<i style='background:url(",
        ")'>",
        "<base href=",
        "<title>",
        "</title>",
        "&",
        "&#0;",
        "&#x110000;",
    ),
    *(
        "text",
        " ",
        "\n",
        "\x00",
        "\x0b",
        "é",
        "\u202e",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<?",
        "<o:p x:y=1 @z=2>",
        "<ul><li>",
        "<br>",
    ),
    *(
        "<noscript>",
        "</noscript>",
        "<math><annotation>",
        "<plaintext>",
        "<textarea>",
        "<details>",
        "<dialog open>",
        "<ruby><rp>",
    ),
]


@given(st.lists(st.sampled_from(PIECES), max_size=60))
def test_any_markup_is_a_page(pieces: list[str]) -> None:
    page = read_page("".join(pieces).encode(), URL, content_type="text/html; charset=utf-8")
    page.text.encode()
    assert not any(character < " " and character not in "\n\t" for character in page.text + page.main_text + page.title)


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_page_is_a_page(name: str) -> None:
    body = ScrapedPage(name).body
    chance = random.Random(name)
    for _ in range(20):
        damaged = bytearray(body)
        for _ in range(chance.randint(1, 40)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        read_page(bytes(damaged[: chance.randint(1, len(damaged))]), URL)
