"""The PNG that is written holds exactly the pixels that were given, whoever reads it."""

import io
import random
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from services.grayscaler import png
from tests.unit.png_reader import NotPng, read_gray

Pixels = NDArray[np.uint8]
SIZES = [(1, 1), (1, 20_000), (20_000, 1), (2, 2), (3, 5), (257, 129), (640, 480)]
CONTENTS: dict[str, Callable[[int, int], Pixels]] = {
    "noise": lambda width, height: np.random.default_rng(7).integers(0, 256, (height, width), np.uint8),
    "black": lambda width, height: np.zeros((height, width), np.uint8),
    "white": lambda width, height: np.full((height, width), 255, np.uint8),
    "falling": lambda width, height: np.arange(width * height, 0, -1).astype(np.uint8).reshape(height, width),
}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("content", CONTENTS)
def test_every_reader_gives_back_every_pixel(size: tuple[int, int], content: str) -> None:
    width, height = size
    pixels = CONTENTS[content](width, height)
    body = png.encode(pixels)
    assert read_gray(body) == (width, height, pixels.tobytes())
    with Image.open(io.BytesIO(body)) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "L", size)
        assert image.tobytes() == pixels.tobytes()


def test_pixels_that_do_not_lie_in_a_row_in_memory_are_written_in_order() -> None:
    pixels = CONTENTS["noise"](40, 30)
    for view in (pixels[::2, ::3], pixels[::-1], pixels.T):
        assert read_gray(png.encode(view))[2] == view.tobytes()


def test_a_read_only_array_is_written() -> None:
    image = Image.new("L", (3, 2), 9)
    assert read_gray(png.encode(np.asarray(image))) == (3, 2, b"\x09" * 6)


def test_even_noise_grows_by_less_than_a_hundredth() -> None:
    pixels = CONTENTS["noise"](500, 500)
    assert len(png.encode(pixels)) < pixels.size * 1.01


def test_the_reader_notices_any_wrong_byte() -> None:
    body = png.encode(CONTENTS["noise"](20, 20))
    chance = random.Random(5)
    for _ in range(200):
        at, difference = chance.randrange(len(body)), chance.randrange(1, 256)
        wrong = bytearray(body)
        wrong[at] ^= difference
        with pytest.raises((NotPng, ValueError, OSError, IndexError)) as noticed:
            _must_differ(bytes(wrong))
        assert noticed


def _must_differ(body: bytes) -> None:
    raise NotPng(read_gray(body))
