"""The memory of a hasher and an aggregator is bounded whatever the number of large images (P10)."""

import random
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from common.broker import parameters
from common.database import Database
from common.facts import ImageFetched, ImageGrayscaled
from common.items import Item, download_id
from common.publisher import Publisher
from common.settings import Settings
from common.tally import tally
from common.topology import Topology
from services.grayscaler import png
from tests.fleet import eventually, fleet
from tests.integration.test_back_pressure import peak_megabytes
from tests.join_world import submitted
from tests.sizes import whole

IMAGES = 200 if whole() else 8
SIDE, BODY_BYTES = 2_330, 5_500_000
"""A gray image of so much noise takes as many bytes as that of a photograph of 40 megapixels."""
MOST_MEGABYTES = {"hasher": 200, "aggregator": 400}


def large(item: Item, noise: bytes, gray: ImageGrayscaled) -> tuple[ImageFetched, ImageGrayscaled]:
    """Give what a fetcher and a grayscaler tell of a large image; each has other bytes."""
    body = item.item_id.bytes + noise[16:]
    fields = {name: getattr(gray, name) for name in ImageGrayscaled.__slots__}
    message_id = download_id(item, body)
    return ImageFetched.of(item, body, "image/png"), ImageGrayscaled(
        **{**fields, "item": item, "message_id": message_id}
    )


@pytest.mark.timeout(1_800)
def test_many_images_of_40_megapixels_take_little_memory_where_they_are_not_decoded(
    database: Database, settings: Settings, topology: Topology, environment: dict[str, str], tmp_path: Path
) -> None:
    noise = random.Random(10).randbytes(BODY_BYTES)
    pixels = np.frombuffer(noise, np.uint8, SIDE * SIDE).reshape(SIDE, SIDE)
    histogram = tuple(np.bincount(pixels.ravel(), minlength=256).tolist())
    items = submitted(database, IMAGES)
    gray = ImageGrayscaled(items[0], items[0].item_id, png.encode(pixels), SIDE, SIDE, "PNG", "L", 1, histogram, None)
    with (
        fleet({"hasher": 1, "aggregator": 1}, environment, tmp_path) as workers,
        closing(Publisher("tests", parameters(settings, "tests"), topology, patience_seconds=60)) as publisher,
    ):
        for item in items:
            fetched, grayscaled = large(item, noise, gray)
            publisher.publish([topology.direct("hasher", fetched.to_message()), topology.fact(grayscaled.to_message())])
            publisher.flush()
        eventually(lambda: tally(database, items[0].task_id).success == IMAGES, deadline_seconds=600, what="all stored")
        peaks = {worker.service: round(peak_megabytes(worker)) for worker in workers}
    print(f"{IMAGES} images of {len(noise):,} bytes, gray {len(gray.png):,}: at most {peaks} MB")  # noqa: T201
    assert all(peaks[name] < most for name, most in MOST_MEGABYTES.items())
