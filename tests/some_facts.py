"""Facts as the services would tell them, about images that need no decoding to be made."""

import hashlib
from uuid import uuid4

import numpy as np

from common.facts import ImageFetched, ImageGrayscaled, ImageHashed, ItemFailed, ItemKnown
from common.items import Item, download_id, item_id
from common.reasons import Reason
from services.grayscaler import png

URL = "https://images.example/1.png"


def new_item(*, url: str = URL, at_round: int = 0) -> Item:
    """Give the only item of a new task."""
    task_id = uuid4()
    return Item(task_id, item_id(task_id, 1), url, at_round)


def md5_of(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def hashed(item: Item, body: bytes) -> ImageHashed:
    """Give what the hasher tells of a download."""
    return ImageHashed(item, download_id(item, body), md5_of(body), len(body))


def grayscaled(item: Item, body: bytes) -> ImageGrayscaled:
    """Give what the grayscaler would tell, if the body's first byte were its only level of gray."""
    pixels = np.full((2, 3), body[0], np.uint8)
    histogram = tuple(6 if level == body[0] else 0 for level in range(256))
    hash_of_63_bits = int(md5_of(body)[:16], 16) >> 1
    return ImageGrayscaled(
        item, download_id(item, body), png.encode(pixels), 3, 2, "PNG", "RGB", 1, histogram, hash_of_63_bits
    )


def fetched(item: Item, body: bytes) -> ImageFetched:
    return ImageFetched.of(item, body, "image/png")


def failed(item: Item, reason: Reason = Reason.TRUNCATED) -> ItemFailed:
    return ItemFailed(item, "grayscaler", reason, "cut at half", None, 1)


def known(item: Item, md5: str) -> ItemKnown:
    return ItemKnown(item, md5)
