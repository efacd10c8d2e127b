"""The memory of a grayscaler, its decoder included, is bounded whatever the number of large images."""

import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from PIL import Image

from common.broker import parameters
from common.facts import ImageFetched, ImageGrayscaled
from common.publisher import Publisher
from common.settings import Settings
from common.topology import Topology
from tests.decoding import peak_mebibytes
from tests.fleet import Process, eventually
from tests.integration.runtime import Broker
from tests.sizes import whole
from tests.some_facts import new_item
from tests.unit.gray_oracle import saved

IMAGES = 200 if whole() else 4
SIZE = (8_000, 5_000)
MOST_MEBIBYTES = 1_000
PHOTO = sorted((Path(__file__).parents[2] / "samples" / "photos").glob("*.jpg"))[0]


def photo() -> Image.Image:
    with Image.open(PHOTO) as image:
        return image.convert("RGB").resize(SIZE, Image.Resampling.BICUBIC)


KINDS: dict[str, Callable[[], bytes]] = {
    "a photo": lambda: saved(photo(), "JPEG", quality=60),
    "a progressive CMYK": lambda: saved(Image.new("CMYK", SIZE, (1, 2, 3, 4)), "JPEG", progressive=True, subsampling=0),
    "a PNG with alpha": lambda: saved(Image.new("RGBA", SIZE, (1, 2, 3, 4)), "PNG"),
    "a WebP with alpha": lambda: saved(Image.new("RGBA", SIZE, (1, 2, 3, 4)), "WEBP", lossless=True, method=0),
}


@pytest.mark.timeout(1_200)
def test_many_images_of_40_megapixels_take_less_than_a_gigabyte(
    settings: Settings, topology: Topology, environment: dict[str, str], tmp_path: Path
) -> None:
    bodies = [make() for make in KINDS.values()]
    broker = Broker(settings, topology)
    with closing(Publisher("tests", parameters(settings, "tests"), topology)) as publisher:
        for number in range(IMAGES):
            fact = ImageFetched.of(new_item(), bodies[number % len(bodies)], "")
            publisher.publish([topology.direct("grayscaler", fact.to_message())])
        publisher.flush()
    grayscaler = Process("grayscaler", environment, tmp_path / "grayscaler")
    try:
        for _ in range(IMAGES):
            eventually(lambda: broker.ready("aggregator.gray"), deadline_seconds=60, what="the next one is told")
            [message] = broker.take("aggregator.gray", 1)
            gray = ImageGrayscaled.from_message(message)
            assert (gray.width, gray.height) == SIZE
        [decoder] = psutil.Process(grayscaler.pid).children()
        own, decoders = peak_mebibytes(grayscaler.pid), peak_mebibytes(decoder.pid)
        assert "decoder replaced" not in grayscaler.log
        assert grayscaler.terminate() == 0
    finally:
        grayscaler.kill()
    sys.stdout.write(f"{IMAGES} images: {own} MiB, and the decoder {decoders} MiB\n")
    assert own + decoders < MOST_MEBIBYTES
