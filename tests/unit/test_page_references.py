"""The small languages in which pages name images: srcset, CSS, data URLs, relative references."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scraper.css_images import image_addresses
from services.scraper.data_urls import NoData, read_data_url
from services.scraper.locations import Unresolvable, base_of, resolve, web_address
from services.scraper.markup import parse
from services.scraper.srcset import Candidate, candidates, largest

BASE = "http://site.example/a/b.html?q"


@pytest.mark.parametrize(
    ("srcset", "expected"),
    [
        ("a 1x, b 2x", [Candidate("a"), Candidate("b", density=2)]),
        ("a,b", [Candidate("a,b")]),
        ("a, b", [Candidate("a"), Candidate("b")]),
        ("a 100w,b 200w", [Candidate("a", 100), Candidate("b", 200)]),
        (" ,, a,,\n\tb .5x , ", [Candidate("a"), Candidate("b", density=0.5)]),
        ("/w_1,h_2/a.jpg 3w", [Candidate("/w_1,h_2/a.jpg", 3)]),
        ("data:image/png;base64,AA== 1x, b 2x", [Candidate("data:image/png;base64,AA=="), Candidate("b", density=2)]),
        ("a 100w 50h, b", [Candidate("a", 100), Candidate("b")]),
        ("a (x, y) 2x, b 1e1x", [Candidate("b", density=10)]),
        ("a 0w, b -1x, c 1.x, d 2q, e 1w 1w, f 1x 1w", []),
        ("", []),
        (" ,, ", []),
    ],
)
def test_srcset_is_parsed_as_the_standard_says(srcset: str, expected: list[Candidate]) -> None:
    assert list(candidates(srcset)) == expected


def test_the_largest_is_the_widest_or_the_densest() -> None:
    assert largest("a 100w, b 1000w, c 20w") == "b"
    assert largest("a, b 1.5x, c 1.25x") == "b"
    assert largest("a 7q") is None


@pytest.mark.parametrize(
    ("css", "expected"),
    [
        ("background:url(a.png)", ["a.png"]),
        ("background:URL( 'a b.png' ) , url(\"c).png\")", ["a b.png", "c).png"]),
        (r"background:u\72 l(a\)b\20 c.png)", ["a)b c.png"]),
        (
            r"background:url('a\'\"b\
c')",
            ["a'\"bc"],
        ),
        ("/* url(no) */ background/**/: url(yes)", ["yes"]),
        ("content:'url(no)'", []),
        ("background:image-set('a' 1x, url(b) 2x, type('no'))", ["a", "b"]),
        ("background:-webkit-image-set(url(a) 1x)", ["a"]),
        ("background:cross-fade(url(a), url(b), 50%)", ["a", "b"]),
        ("x:curl(no) my-url(no) url (no)", []),
        ("@import url(no.css); @font-face{src:url(no.woff)} a{b:url(yes)} @media x{c{d:url(too)}}", ["yes", "too"]),
        ("background:url(a", ["a"]),
        ("background:url('a", ["a"]),
        (r"background:url(\110000\0 x)", ["\ufffd\ufffdx"]),
        ("background:url(a b)", []),
        ("background:url()", [""]),
    ],
)
def test_css_is_read_by_its_tokens(css: str, expected: list[str]) -> None:
    assert list(image_addresses(css)) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("data:image/png;base64,aGk=", ("image/png", b"hi")),
        ("DATA:Image/PNG;x=y; BASE64,aGk", ("image/png", b"hi")),
        ("data:;base64,a%47%6b%3D", ("", b"hi")),
        ("data:image/gif;base64, a G k = ", ("image/gif", b"hi")),
        ("data:image/svg+xml;utf8,<svg a='%20'/>", ("image/svg+xml", b"<svg a=' '/>")),
        ("data:,a,b", ("", b"a,b")),
        ("data:image/png,%zz%", ("image/png", b"%zz%")),
        ("data:x,é", ("x", "é".encode())),
    ],
)
def test_data_urls_become_bytes(url: str, expected: tuple[str, bytes]) -> None:
    assert read_data_url(url, most_bytes=100) == expected


@pytest.mark.parametrize(
    "url",
    [
        "data:x",
        "data:,",
        "data:;base64,a",
        "data:;base64,a=b=",
        "data:;base64,a-_b",
        "data:," + "x" * 101,
        "data:;base64,é=",
    ],
)
def test_what_is_no_data_is_told(url: str) -> None:
    with pytest.raises(NoData):
        read_data_url(url, most_bytes=100)


@given(st.binary(min_size=1, max_size=200))
def test_base64_comes_back_as_it_was(body: bytes) -> None:
    encoded = base64.b64encode(body).decode()
    assert read_data_url(f"data:image/png;base64,{encoded}", most_bytes=200) == ("image/png", body)
    assert read_data_url(f"data:image/png;base64,{encoded.rstrip('=')}", most_bytes=200) == ("image/png", body)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("c.png", "http://site.example/a/c.png"),
        (" \n\x00c.\n\tpng\x1f ", "http://site.example/a/c.png"),
        ("//cdn.example/c#f", "http://cdn.example/c"),
        ("..\\c\\d.png?x\\y", "http://site.example/c/d.png?x\\y"),
        ("HTTPS://Cdn.example/C", "https://Cdn.example/C"),
        ("data:image/png,#x y", "data:image/png,#x y"),
        ("../../../c", "http://site.example/c"),
        ("?c", "http://site.example/a/b.html?c"),
    ],
)
def test_references_lead_where_a_browser_goes(reference: str, expected: str) -> None:
    assert resolve(BASE, reference) == expected


def test_what_is_no_url_is_told() -> None:
    with pytest.raises(Unresolvable):
        resolve(BASE, "http://[::1/")
    assert web_address(BASE, "http://[::1/") == ""
    assert web_address(BASE, "javascript:x") == ""
    assert web_address(BASE, "http://:80/x") == ""
    assert web_address(BASE, " ") == ""


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("<base href='/c/'>", "http://site.example/c/"),
        ("<base target=x><base href=' c\n/ '><base href=/d/>", "http://site.example/a/c/"),
        ("<base href='http://10.0.0.1/'>", "http://10.0.0.1/"),
        ("<base href='data:x,'>", BASE),
        ("<base href='javascript:x'>", BASE),
        ("<base href='http://['>", BASE),
        ("<iframe srcdoc='<base href=/inner/>'></iframe>", BASE),
        ("", BASE),
    ],
)
def test_the_base_is_the_first_that_counts(head: str, expected: str) -> None:
    assert base_of(parse(head).root, BASE) == expected
