"""URLs, good, bad and crooked: what is connected to, and what is asked for there."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import Permanent
from common.fetching.target import Target, read_target, redirected
from common.reasons import Reason

LONGEST = 2_048
INVALID = [
    # not a URL that is fetched
    *("file:///etc/passwd", "ftp://h/x", "data:image/png;base64,AAAA", "javascript:alert(1)", "gopher://h/", "//h/x"),
    *("h/x.png", "", " ", "http", "http:", "http:/h/x", "http:h", "://h/x", "ht tp://h/", "ws://h.example/"),
    # no host
    *("http://", "http:///x", "http://?x", "http://#x", "http://:80/x", "https:///etc/passwd"),
    # ports
    *("http://host.example:99999/", "http://host.example:0/", "http://host.example:-1/", "http://host.example:+80/"),
    *("http://host.example:8_0/", "http://host.example:80a/", "http://host.example:0x50/", "http://h.example:\u0668/"),
    *("http://host.example:80:80/", "http://host.example:65536/", f"http://host.example:{'9' * 500}/"),
    # user information, in every disguise
    *("http://user:password@host.example/", "http://user@host.example/", "http://@host.example/"),
    *("http://example.com@127.0.0.1/", "http://127.0.0.1:80\\@example.com/", "http://a:b@c@host.example/"),
    *("http://host.example\\@127.0.0.1/", "http://127.0.0.1#@host.example:80@x/".replace("#", "\\")),
    # parsers disagree about these
    *("http://host.example\\x/", "http:\\\\127.0.0.1\\x", "http:/\\127.0.0.1/", "http://%31%32%37.0.0.1/"),
    *("http://host%2eexample/", "http://[::1/", "http://::1/", "http://[::1]x/", "http://x[::1]/", "http://[]/"),
    *("http://[v1.example.com]/", "http://[127.0.0.1]/", "http://[fe80::1%25eth0]/", "http://[2600::1%eth0]/"),
    *("http://[::1]:80:80/", "http://[:::1]/", "http://[1:2:3]/", "http://[::ffff:127.0.0.256]/"),
    # characters that no host has
    *("http://ho st.example/", "http://host.example,b/", "http://host.example;b/", "http://h*.example/", "http://<h>/"),
    *('http://"h"/', "http://h'.example/", "http://h(.example/", "http://h{}.example/", "http://h|.example/"),
    *("http://host..example/", "http://.example/", "http://./", "http://../", "http://-host.example/"),
    *("http://host-.example/", f"http://{'a' * 64}.example/", f"http://{'a.' * 130}example/"),
    *("http://\u2100.example/", "http://host.example\uff0fx/", "http://\u200d.example/", "http://\u202eh.example/"),
    # characters that no URL has
    *(
        "http://host.example/\r\nx",
        "http://host.example/\nHost: evil",
        "http://host.example/\x00",
        "http://h.example/\t",
    ),
    *("http://ho\nst.example/", "\x01http://host.example/", "http://host.example/\x7f", "http://host.example\r/"),
    *("http://host.example/\ud800", "http://\ud800.example/"),
]
HOSTS = {
    "http://EXAMPLE.com/": "example.com",
    "http://example.com./": "example.com.",
    "http://under_score.example/": "under_score.example",
    "http://b\u00fccher.example/": "xn--bcher-kva.example",
    "http://B\u00dcCHER.example/": "xn--bcher-kva.example",
    "http://xn--bcher-kva.example/": "xn--bcher-kva.example",
    "http://\u4f8b\u3048\u3002\u30c6\u30b9\u30c8/": "xn--r8jz45g.xn--zckzah",
    "http://fa\u00df.example/": "xn--fa-hia.example",
    "http://\uff11\uff12\uff17.0.0.1/": "127.0.0.1",
    "http://\u2460\u2461\u2466.0.0.1/": "127.0.0.1",
    "http://2130706433/": "2130706433",
    "http://0x7f.1/": "0x7f.1",
    "http://[::1]/": "::1",
    "http://[0:0:0:0:0:0:0:1]/": "::1",
    "http://[2600:0:0::AB]/": "2600::ab",
    "http://[::ffff:127.0.0.1]/": "::ffff:7f00:1",
}
PATHS = {
    "http://h.example": "/",
    "http://h.example?a=b": "/?a=b",
    "http://h.example/#fragment": "/",
    "http://h.example/a#b?c": "/a",
    "http://h.example/a?b#c": "/a?b",
    "http://h.example/a?": "/a",
    "http://h.example/a?b?c/d": "/a?b?c/d",
    "http://h.example/a b": "/a%20b",
    "http://h.example/a%20b": "/a%20b",
    "http://h.example/a%2520b": "/a%2520b",
    "http://h.example/\u00fc/\u4f8b.png": "/%C3%BC/%E4%BE%8B.png",
    "http://h.example/%c3%bc": "/%C3%BC",
    "http://h.example/%C3%BC \u00fc": "/%C3%BC%20%C3%BC",
    "http://h.example/?q=\u00fc&r=%20": "/?q=%C3%BC&r=%20",
    "http://h.example/100%": "/100%25",
    "http://h.example/a%20b%zz%": "/a%20b%25zz%25",
    "http://h.example/a[1]|{2}": "/a%5B1%5D%7C%7B2%7D",
    "http://h.example/a;b=c,d:e@f!$&'()*+~": "/a;b=c,d:e@f!$&'()*+~",
    "http://h.example/a\\b": "/a%5Cb",
    'http://h.example/"<>`^': "/%22%3C%3E%60%5E",
    "http://h.example/a%2Fb": "/a%2Fb",
    "http://h.example//double//slash": "//double//slash",
    "http://h.example/a/../b": "/b",
    "http://h.example/a/./b": "/a/b",
    "http://h.example/../../etc/passwd": "/etc/passwd",
    "http://h.example/a/..": "/",
    "http://h.example/a/b/..": "/a/",
    "http://h.example/a/.": "/a/",
    "http://h.example/%2e%2E/x": "/x",
    "http://h.example/...": "/...",
    "http://h.example/?x=/../y": "/?x=/../y",
}
AUTHORITIES = {
    "http://h.example/": "h.example",
    "http://h.example:/": "h.example",
    "http://h.example:80/": "h.example",
    "http://h.example:443/": "h.example:443",
    "https://h.example:443/": "h.example",
    "https://h.example:80/": "h.example:80",
    "http://h.example:08080/": "h.example:8080",
    "http://h.example:65535/": "h.example:65535",
    "http://[2600::1]/": "[2600::1]",
    "http://[2600::1]:8080/": "[2600::1]:8080",
    "HTTP://H.EXAMPLE/": "h.example",
    "  http://h.example/  ": "h.example",
    "http://b\u00fccher.example:8080/": "xn--bcher-kva.example:8080",
}
BASE = read_target("http://h.example:8080/a/b?c=d", max_length=LONGEST)
REDIRECTS = {
    "x": "http://h.example:8080/a/x",
    "/x": "http://h.example:8080/x",
    "?x": "http://h.example:8080/a/b?x",
    "//other.example/x": "http://other.example/x",
    "https://other.example/": "https://other.example/",
    "../../x": "http://h.example:8080/x",
    "#here": "http://h.example:8080/a/b?c=d",
    " /x ": "http://h.example:8080/x",
    "/x#y": "http://h.example:8080/x",
    "/a b": "http://h.example:8080/a%20b",
    "/%C3%BC": "http://h.example:8080/%C3%BC",
    "/\u00fc".encode().decode("latin-1"): "http://h.example:8080/%C3%BC",
    "//b\u00fccher.example/".encode().decode("latin-1"): "http://xn--bcher-kva.example/",
}
CROOKED_REDIRECTS = [
    *("file:///etc/passwd", "javascript:alert(1)", "data:,x", "http://u:p@h.example/", "//u:p@h.example/"),
    *("http://[::1", "http://h.example:99999/", "/a\r\n b", "/\x00", "http://h\texample/"),
    *("http://127.0.0.1:80\\@example.com/", f"/{'x' * LONGEST}"),
]


def read(url: str) -> Target:
    return read_target(url, max_length=LONGEST)


def or_none(reading: Callable[[], Target]) -> Target | None:
    """Give what is read, or None for an invalid URL; no other error may come."""
    try:
        return reading()
    except Permanent as error:
        if error.reason is not Reason.INVALID_URL:
            raise
        return None


@pytest.mark.parametrize("url", INVALID)
def test_what_is_no_url_to_fetch_is_invalid(url: str) -> None:
    with pytest.raises(Permanent) as caught:
        read(url)
    assert caught.value.reason is Reason.INVALID_URL


def test_the_sentence_about_an_invalid_url_does_not_repeat_its_password() -> None:
    with pytest.raises(Permanent) as caught:
        read("http://user:hunter2@host.example/")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(("url", "host"), HOSTS.items())
def test_a_host_is_ascii_and_lower_case(url: str, host: str) -> None:
    assert read(url).host == host


@pytest.mark.parametrize(("url", "path"), PATHS.items())
def test_a_path_is_encoded_once_and_without_dot_segments(url: str, path: str) -> None:
    assert read(url).path == path


@pytest.mark.parametrize(("url", "authority"), AUTHORITIES.items())
def test_the_host_header_has_the_port_only_if_it_is_not_the_schemes_own(url: str, authority: str) -> None:
    assert read(url).authority == authority


def test_the_longest_url_is_read_and_one_character_more_is_not() -> None:
    url = "http://h.example/".ljust(LONGEST, "x")
    assert read(url).url == url
    with pytest.raises(Permanent, match="longer than 2,048"):
        read(url + "x")


def test_a_url_that_grows_too_long_when_it_is_encoded_is_invalid() -> None:
    assert read("http://h.example/" + "\u4f8b" * 200)
    with pytest.raises(Permanent, match="once it is encoded"):
        read("http://h.example/" + "\u4f8b" * 300)


@pytest.mark.parametrize(("location", "url"), REDIRECTS.items())
def test_a_redirect_is_read_from_where_it_was_met(location: str, url: str) -> None:
    assert redirected(BASE, location, max_length=LONGEST).url == url


@pytest.mark.parametrize("location", CROOKED_REDIRECTS)
def test_a_redirect_to_what_is_no_url_is_invalid(location: str) -> None:
    with pytest.raises(Permanent) as caught:
        redirected(BASE, location, max_length=LONGEST)
    assert caught.value.reason is Reason.INVALID_URL


@given(st.text())
def test_no_location_leads_to_anything_but_a_target_or_an_invalid_url(location: str) -> None:
    target = or_none(lambda: redirected(BASE, location, max_length=LONGEST))
    assert target is None or target.scheme in ("http", "https")


@given(st.text() | st.from_regex(r"https?://[!-~]{0,12}[.:@\\\[\]%][!-~]{0,12}/[ -~\xe9]*", fullmatch=True))
def test_whatever_is_read_can_stand_in_a_request_and_is_read_the_same_again(url: str) -> None:
    target = or_none(lambda: read(url))
    if target is None:
        return
    assert (target.authority + target.path).isascii()
    assert not any(character <= " " or character in '\\"<>\x7f' for character in target.url)
    assert "@" not in target.authority
    assert read(target.url) == target
