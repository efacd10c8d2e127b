"""What of a URL is written down: no user name, no password, not without end."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from common.submission import KEPT_CHARACTERS, kept


@pytest.mark.parametrize(
    "url",
    [
        "https://images.example/1.png",
        "https://images.example/a@b.png",
        "https://images.example/?mail=a@b.example",
        "https://images.example/#a@b",
        "https://images.example",
        "https://images.example\\a@b",
        "not a url",
        "",
        "mailto/a@b",
        "https://images.example:8443/bücher.png",
    ],
)
def test_a_url_without_credentials_stays_as_it_is(url: str) -> None:
    assert kept(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "https://user:secret@host/1.png",
        "https://secret@host/1.png",
        "https://:secret@host/",
        "https://user:secret@host",
        "https://user:secret@host?x",
        "https://user:secret@host#x",
        "HTTPS://USER:secret@host/",
        "//user:secret@host/1.png",
        "user:secret@host/1.png",
        "https:user:secret@host/1.png",
        "https:/user:secret@host/1.png",
        "https:////user:secret@host/1.png",
        "https:\\\\user:secret@host/1.png",
        "  https://user:secret@host/1.png",
        "\thttps://user:secret@host/1.png",
        "https://user:se@secret@host/",
        "https://user:secret secret@host/",
        "https://user:secret%40@host/",
        "https://üser:secret@host/",
        "https://user:secret\u2028@host/",
        "git+https://user:secret@host/",
        "file://user:secret@host/",
    ],
)
def test_credentials_are_removed_in_every_spelling(url: str) -> None:
    assert "secret" not in kept(url)
    assert "***@" in kept(url)
    assert kept(url).partition("@")[2].startswith("host")


@pytest.mark.parametrize(
    "url",
    [
        "ht\ttps://user:secret@host/1.png",
        "https\t://user:secret@host/1.png",
        "\x00https://user:secret@host/1.png",
        "\ufeffhttps://user:secret@host/1.png",
        "https:/\t/user:secret@host/1.png",
        "https://user:secret" + "x" * KEPT_CHARACTERS + "@host/1.png",
    ],
)
def test_credentials_are_removed_behind_characters_that_clients_skip(url: str) -> None:
    assert "secret" not in kept(url)


def test_a_url_with_credentials_becomes_no_other_valid_url() -> None:
    assert kept("https://user:secret@host/1.png") == "https://***@host/1.png"


def test_a_long_url_is_cut_and_still_too_long() -> None:
    cut = kept("https://images.example/" + "x" * 100_000)
    assert len(cut) == KEPT_CHARACTERS == 8_193
    assert cut.startswith("https://images.example/xxx")


def test_a_url_as_long_as_may_be_is_not_cut() -> None:
    url = "https://images.example/".ljust(8_192, "x")
    assert kept(url) == url


@given(some.text(max_size=100))
def test_keeping_is_done_once_for_all(url: str) -> None:
    assert kept(kept(url)) == kept(url)
