"""A gray version that is put aside comes back as it was, and an image's document has what it is found by."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from bson import CodecOptions, Int64, UuidRepresentation, decode, encode

from common.database import Document
from common.multi_index import band_keys
from services.aggregator.documents import Pair, gray_from, half_document, image_document
from tests.some_facts import grayscaled, md5_of, new_item

BODY = b"\x40 an image's bytes"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
OPTIONS: CodecOptions[Document] = CodecOptions(uuid_representation=UuidRepresentation.STANDARD, tz_aware=True)
HASHES = [None, 0, 1, 2**31, 2**63 - 1]


def stored(document: Document) -> Document:
    """Give a document as the database gives it back."""
    return decode(encode(document, codec_options=OPTIONS), OPTIONS)


@pytest.mark.parametrize("value", HASHES)
def test_a_half_reads_back_as_it_was_put_aside(value: int | None) -> None:
    fact = replace(grayscaled(new_item(), BODY), perceptual_hash=value)
    assert gray_from(stored(half_document(fact, NOON))) == fact


def test_a_half_of_before_there_were_perceptual_hashes_is_read() -> None:
    fact = grayscaled(new_item(), BODY)
    document = half_document(fact, NOON)
    del document["perceptual_hash"]
    assert gray_from(stored(document)) == replace(fact, perceptual_hash=None)


@pytest.mark.parametrize("value", HASHES[1:])
def test_an_image_has_its_hash_and_the_bands_it_is_found_by(value: int) -> None:
    gray = replace(grayscaled(new_item(), BODY), perceptual_hash=value)
    document = stored(image_document(Pair(gray, md5_of(BODY), len(BODY)), NOON))
    assert document["perceptual_hash"] == value
    assert isinstance(document["perceptual_hash"], Int64)
    assert document["perceptual_bands"] == band_keys(value)


def test_an_image_without_a_hash_has_neither() -> None:
    gray = replace(grayscaled(new_item(), BODY), perceptual_hash=None)
    document = image_document(Pair(gray, md5_of(BODY), len(BODY)), NOON)
    assert not {"perceptual_hash", "perceptual_bands"} & set(document)
