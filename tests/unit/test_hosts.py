"""The host that an item is counted by."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from common.hosts import MOST_CHARACTERS, host_of


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://images.example/1.png", "images.example"),
        ("HTTPS://Images.EXAMPLE:8443/1.png", "images.example"),
        ("http://user:secret@images.example/1.png", "images.example"),
        ("http://a@b@images.example?x", "images.example"),
        ("http://images.example.#top", "images.example"),
        ("http://[2001:DB8::1]:8080/x", "[2001:db8::1]"),
        ("http://127.0.0.2:5001/ok", "127.0.0.2"),
        ("http:\\\\images.example\\1.png", "images.example"),
        (f"http://{'a' * 300}/", "a" * MOST_CHARACTERS),
        ("http://bücher.example/", "bücher.example"),
        ("data:image/png;base64,AAAA", None),
        ("http:///path", None),
        ("http://:80/", None),
        ("http://[::1", None),
        ("//images.example/1.png", None),
        ("not a url", None),
        ("", None),
    ],
)
def test_the_host_is_what_stands_where_a_url_has_it(url: str, host: str | None) -> None:
    assert host_of(url) == host


@given(some.text() | some.text().map("http://{}".format))
def test_no_text_is_an_error(url: str) -> None:
    host = host_of(url)
    assert host is None or 0 < len(host) <= MOST_CHARACTERS
