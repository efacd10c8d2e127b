"""The name that people know an image by, out of any URL."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from common.file_names import MOST_CHARACTERS, file_name


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://a.example/photos/cat.jpg", "cat.jpg"),
        ("HTTP://a.example/cat.jpg", "cat.jpg"),
        ("https://a.example/cat.jpg?w=1/2#top/x", "cat.jpg"),
        ("https://a.example/cat.jpg#a?b", "cat.jpg"),
        ("https://a.example/cat%20one+two.jpg", "cat one+two.jpg"),
        ("https://a.example/caf%C3%A9.jpg", "café.jpg"),
        ("https://a.example/café.jpg", "café.jpg"),
        ("https://a.example/%FF.jpg", "\ufffd.jpg"),
        ("https://a.example/o/photos%2Fcat.jpg?alt=media", "cat.jpg"),
        ("https://a.example/a%252Fb.jpg", "a%2Fb.jpg"),
        ("https://a.example/100%.jpg", "100%.jpg"),
        ("https://a.example/a%00b.jpg", "a\0b.jpg"),
        ("https://a.example/%3Cscript%3E", "<script>"),
        ("https://a.example/..", ".."),
        ("https://a.example:81/image.php?id=7", "image.php"),
        ("https://a.example/" + "x" * MOST_CHARACTERS, "x" * MOST_CHARACTERS),
        ("https://a.example/" + "x" * (MOST_CHARACTERS + 1), None),
        ("https://a.example/photos/", None),
        ("https://a.example/photos%2F", None),
        ("https://a.example/", None),
        ("https://a.example", None),
        ("https://a.example?cat.jpg", None),
        ("https://a.example#/cat.jpg", None),
        ("https://[::1/cat.jpg", "cat.jpg"),
        ("data:image/png;base64,AAAA/cat.jpg", None),
        ("no url/cat.jpg", None),
        ("", None),
    ],
)
def test_the_name_is_what_stands_after_the_last_slash_of_the_path(url, name):
    assert file_name(url) == name


@given(st.text())
def test_no_text_is_too_strange(text):
    name = file_name(f"https://a.example/{text}")
    assert name is None or (0 < len(name) <= MOST_CHARACTERS and "/" not in name)


@given(st.binary(min_size=1, max_size=40))
def test_whoever_puts_the_name_into_an_address_as_it_stood_in_its_url_asks_for_the_same(data):
    segment = quote(data.replace(b"/", b""), safe="")
    path = Request(EnvironBuilder(path=f"/stats/{segment}").get_environ()).path
    assert path.removeprefix("/stats/") == (file_name(f"https://a.example/{segment}") or "")
