"""Every fact survives its journey, and what is none is refused with a sentence."""

import json
import struct
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from common.errors import MalformedMessage
from common.facts import (
    ImageFetched,
    ImageGrayscaled,
    ImageHashed,
    ItemFailed,
    ItemKnown,
    PageScraped,
    PageSubmitted,
    TaskCompleted,
    UrlSubmitted,
)
from common.items import Item
from common.message import Message
from common.reasons import Reason
from tests.some_facts import failed, fetched, grayscaled, hashed, known, new_item

BODY = b"\x07 the bytes as received"
Reader = type[UrlSubmitted | ImageFetched | ImageHashed | ImageGrayscaled | ItemKnown | ItemFailed]

URLS = some.text(some.characters(exclude_categories=["Cs"]), max_size=100)
ITEMS = some.builds(Item, some.uuids(), some.uuids(), URLS, some.integers(0, 2**31 - 1))
FACTS = some.one_of(
    some.builds(UrlSubmitted, ITEMS, refresh=some.booleans()),
    some.builds(PageSubmitted, ITEMS, images=some.booleans(), refresh=some.booleans()),
    some.builds(PageScraped, ITEMS),
    some.builds(TaskCompleted, ITEMS),
    some.builds(ImageFetched.of, ITEMS, some.binary(min_size=1), some.sampled_from(["image/png", ""])),
    some.builds(hashed, ITEMS, some.binary(min_size=1)),
    some.builds(
        lambda item, value: replace(grayscaled(item, BODY), perceptual_hash=value),
        ITEMS,
        some.none() | some.integers(0, 2**63 - 1),
    ),
    some.builds(known, ITEMS, some.just("0" * 32)),
    some.builds(
        ItemFailed,
        ITEMS,
        some.sampled_from(["fetcher", "grayscaler"]),
        some.sampled_from(Reason),
        URLS,
        some.none() | some.integers(100, 599),
        some.integers(1, 9),
    ),
)


@given(FACTS)
def test_a_fact_reads_back_as_it_was_written(fact: Any) -> None:
    message = fact.to_message()
    assert message.type == fact.NAME
    assert type(fact).from_message(message) == fact


def test_a_long_detail_is_cut_to_500_characters() -> None:
    fact = replace(failed(new_item()), detail="x" * 10_000)
    assert ItemFailed.from_message(fact.to_message()).detail == "x" * 500


def test_both_halves_of_a_download_carry_its_message_id() -> None:
    item = new_item()
    assert fetched(item, BODY).message_id == hashed(item, BODY).message_id == grayscaled(item, BODY).message_id


def refusal(reader: Reader, message: Message) -> str:
    with pytest.raises(MalformedMessage) as refused:
        reader.from_message(message)
    return str(refused.value)


EVERY_FACT = [
    UrlSubmitted(new_item()),
    fetched(new_item(), BODY),
    hashed(new_item(), BODY),
    grayscaled(new_item(), BODY),
    known(new_item(), "0" * 32),
    failed(new_item()),
    PageSubmitted(new_item(), images=True),
    PageScraped(new_item()),
    TaskCompleted(new_item()),
]
each_fact = pytest.mark.parametrize("fact", EVERY_FACT, ids=lambda fact: fact.NAME)


@each_fact
@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("version", 2),
        ("version", None),
        ("version", "1"),
        ("task_id", "no uuid"),
        ("task_id", None),
        ("item_id", "1234"),
        ("item_id", 7),
        ("url", None),
        ("url", 5),
        ("url", b"https://images.example/"),
        ("round", None),
        ("round", -1),
        ("round", "0"),
        ("round", True),
        ("round", 1.0),
    ],
)
def test_a_header_every_fact_has_is_checked(fact: Any, header: str, value: object) -> None:
    sentence = refusal(type(fact), fact.to_message().with_headers(**{header: value}))
    assert header in sentence
    assert "\n" not in sentence


@each_fact
def test_a_message_without_headers_is_refused(fact: Any) -> None:
    assert refusal(type(fact), replace(fact.to_message(), headers={}))


@pytest.mark.parametrize("fact", EVERY_FACT[1:4], ids=lambda fact: fact.NAME)
@pytest.mark.parametrize("message_id", ["", "not a uuid", "123", "g" * 32])
def test_a_download_needs_a_uuid_as_message_id(fact: Any, message_id: str) -> None:
    assert "message_id" in refusal(type(fact), replace(fact.to_message(), message_id=message_id))


@pytest.mark.parametrize("fact", [hashed(new_item(), BODY), known(new_item(), "0" * 32)], ids=lambda fact: fact.NAME)
@pytest.mark.parametrize("md5", ["0" * 31, "0" * 33, "A" * 32, "g" * 32, "0" * 32 + "\n", "", None, 5, b"0" * 32])
def test_an_md5_is_32_lower_case_hexadecimal_digits(fact: Any, md5: object) -> None:
    assert "md5" in refusal(type(fact), fact.to_message().with_headers(md5=md5))


@pytest.mark.parametrize(
    ("header", "value"),
    [
        *[("width", value) for value in (-3, 0, 4, None, "3", True, 3.0)],
        *[("height", value) for value in (-2, 0, 3, None, "2")],
        *[("histogram", value) for value in (b"", bytes(1023), bytes(1024), bytes(1025), None, "x" * 1024)],
        *[("format", value) for value in (None, 5)],
        *[("mode", value) for value in (None, b"RGB")],
        *[("orientation", value) for value in (0, 9, -1, None, "1", True)],
        *[("perceptual_hash", value) for value in ("", "8" + "0" * 15, "0" * 17, "A" * 16, "0" * 16 + "\n", None, 7)],
    ],
)
def test_a_gray_versions_headers_are_checked(header: str, value: object) -> None:
    message = grayscaled(new_item(), BODY).to_message().with_headers(**{header: value})
    assert refusal(ImageGrayscaled, message)


def test_a_gray_version_of_before_there_were_perceptual_hashes_is_read() -> None:
    message = grayscaled(new_item(), BODY).to_message()
    headers = {name: value for name, value in message.headers.items() if name != "perceptual_hash"}
    assert ImageGrayscaled.from_message(replace(message, headers=headers)).perceptual_hash is None


@pytest.mark.parametrize("header", ["width", "height"])
def test_a_size_over_32_bits_is_refused(header: str) -> None:
    message = grayscaled(new_item(), BODY).to_message().with_headers(**{header: 2**40})
    assert refusal(ImageGrayscaled, message)


@pytest.mark.parametrize("body", [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\x00" * 100])
def test_a_gray_version_that_is_no_png_is_refused(body: bytes) -> None:
    message = replace(grayscaled(new_item(), BODY).to_message(), body=body)
    assert refusal(ImageGrayscaled, message) == "the body is no PNG of 3 x 2"


def test_a_gray_version_of_another_size_than_its_headers_is_refused() -> None:
    message = grayscaled(new_item(), BODY).to_message()
    other = message.body[:16] + struct.pack(">II", 2, 3) + message.body[24:]
    assert refusal(ImageGrayscaled, replace(message, body=other)) == "the body is no PNG of 3 x 2"


def test_a_gray_version_of_which_any_byte_is_wrong_is_refused() -> None:
    message = grayscaled(new_item(), BODY).to_message()
    for at in range(len(message.body)):
        wrong = bytearray(message.body)
        wrong[at] ^= 1
        assert refusal(ImageGrayscaled, replace(message, body=bytes(wrong))), at


def test_a_gray_version_that_is_cut_or_has_more_behind_it_is_refused() -> None:
    message = grayscaled(new_item(), BODY).to_message()
    for body in (*(message.body[:length] for length in range(len(message.body))), message.body + b"\0"):
        assert refusal(ImageGrayscaled, replace(message, body=body))
    end = message.body[-12:]
    for body in (message.body + end, message.body[:33] + end):
        assert refusal(ImageGrayscaled, replace(message, body=body))


@pytest.mark.parametrize("length", [0, -1, None, "5", 5.0, True])
def test_a_length_is_a_positive_whole_number(length: object) -> None:
    message = hashed(new_item(), BODY).to_message().with_headers(length_bytes=length)
    assert "length_bytes" in refusal(ImageHashed, message)


def test_an_empty_download_is_refused() -> None:
    assert refusal(ImageFetched, replace(fetched(new_item(), BODY).to_message(), body=b"")) == "the body is empty"


@pytest.mark.parametrize(
    "fact",
    [UrlSubmitted(new_item()), PageSubmitted(new_item(), images=True), failed(new_item())],
    ids=lambda fact: fact.NAME,
)
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 100_000, b"1"])
def test_a_body_that_is_no_json_object_is_refused(fact: Any, body: bytes) -> None:
    assert "JSON" in refusal(type(fact), replace(fact.to_message(), body=body))


@pytest.mark.parametrize(
    "change",
    [
        {"reason": "bad luck"},
        {"reason": None},
        {"reason": ["dns"]},
        {"status": "404"},
        {"status": True},
        {"status": 404.0},
        {"attempts": None},
        {"attempts": "3"},
        {"attempts": True},
    ],
)
def test_a_failure_that_is_not_in_the_list_is_refused(change: dict[str, Any]) -> None:
    message = failed(new_item()).to_message()
    assert refusal(ItemFailed, replace(message, body=json.dumps({**json.loads(message.body), **change}).encode()))


@pytest.mark.parametrize("change", [{"attempts": 2**70}, {"status": 2**70}])
def test_a_failure_that_mongodb_cannot_hold_is_refused(change: dict[str, Any]) -> None:
    message = failed(new_item()).to_message()
    assert refusal(ItemFailed, replace(message, body=json.dumps({**json.loads(message.body), **change}).encode()))


@pytest.mark.parametrize("change", [{"detail": "a\ud800"}, {"stage": "a\udfff"}])
def test_half_a_character_in_a_failure_is_made_harmless(change: dict[str, str]) -> None:
    message = failed(new_item()).to_message()
    body = json.dumps({**json.loads(message.body), **change}).encode()
    fact = ItemFailed.from_message(replace(message, body=body))
    assert "a?" in (fact.detail, fact.stage)


def test_only_true_asks_for_a_refresh() -> None:
    message = UrlSubmitted(new_item(), refresh=True).to_message()
    assert UrlSubmitted.from_message(message).refresh
    for body in (b"{}", b'{"refresh":1}', b'{"refresh":"true"}', b'{"refresh":null}'):
        assert not UrlSubmitted.from_message(replace(message, body=body)).refresh


def test_only_true_asks_for_images() -> None:
    message = PageSubmitted(new_item(), images=True).to_message()
    for body in (b"{}", b'{"images":1}', b'{"images":"true"}'):
        assert not PageSubmitted.from_message(replace(message, body=body)).images


def test_a_uuid_in_another_spelling_is_the_same_item() -> None:
    item = new_item()
    message = UrlSubmitted(item).to_message().with_headers(item_id=item.item_id.hex.upper())
    assert UrlSubmitted.from_message(message).item == item
