"""The perceptual hash: by its definition, near for copies, far for other images, none where it would say nothing."""

import io
import math
from collections.abc import Callable
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from common.multi_index import DEFAULT_DISTANCE, HASH_BITS
from services.grayscaler.exchange import Limits
from services.grayscaler.gray_version import gray_version
from services.grayscaler.grayscale import to_gray
from services.grayscaler.perceptual import perceptual_hash

PHOTOS = sorted((Path(__file__).parents[2] / "samples" / "photos").glob("*.jpg"))
SLACK = 40.0
"""Waves that are nearer to the median than this may fall on either side of it when the means are rounded."""


@cache
def photo(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")


def hash_of(image: Image.Image) -> int:
    value = perceptual_hash(to_gray(image))
    assert value is not None
    return value


def distance(one: Image.Image, other: Image.Image) -> int:
    return (hash_of(one) ^ hash_of(other)).bit_count()


def means_by_definition(image: Image.Image) -> list[list[float]]:
    """Give 32 x 32 means, of pixels that count the less the farther they lie from the middle, up to the next middle."""

    def weights(length: int) -> list[dict[int, float]]:
        step = length / 32
        reach = max(step, 1.0)
        triangles = [
            {pixel: 1 - abs(pixel + 0.5 - (mean + 0.5) * step) / reach for pixel in range(length)} for mean in range(32)
        ]
        inside = [{pixel: part for pixel, part in triangle.items() if part > 0} for triangle in triangles]
        return [{pixel: part / sum(each.values()) for pixel, part in each.items()} for each in inside]

    columns = weights(image.width)
    lines = [image.crop((0, y, image.width, y + 1)).tobytes() for y in range(image.height)]
    across = [[sum(part * line[x] for x, part in column.items()) for column in columns] for line in lines]
    return [[sum(part * across[y][x] for y, part in row.items()) for x in range(32)] for row in weights(image.height)]


def waves_by_definition(image: Image.Image) -> list[float]:
    """Give the 63 waves as the sums that they are."""
    means = means_by_definition(image)
    cosines = [[math.cos((2 * place + 1) * wave * math.pi / 64) for place in range(32)] for wave in range(8)]
    return [
        sum(means[y][x] * cosines[u][y] * cosines[v][x] for y in range(32) for x in range(32))
        for u in range(8)
        for v in range(8)
    ][1:]


@pytest.mark.parametrize("size", [(256, 256), (128, 384), (64, 32), (301, 177), (40, 90)])
@pytest.mark.parametrize("path", PHOTOS, ids=lambda path: path.stem)
def test_every_bit_is_what_the_definition_says(path: Path, size: tuple[int, int]) -> None:
    image = to_gray(photo(path).resize(size))
    waves = waves_by_definition(image)
    median = sorted(waves)[31]
    digits = f"{perceptual_hash(image):063b}"
    # Bands of every third wave, one after the other.
    bits = [digits[place % 3 * 21 + place // 3] for place in range(HASH_BITS)]
    decided = [place for place, wave in enumerate(waves) if abs(wave - median) > SLACK]
    assert len(decided) >= 50
    assert [bits[place] for place in decided] == ["1" if waves[place] > median else "0" for place in decided]


def test_hashes_that_are_stored_stay_comparable() -> None:
    """What a version of Pillow or NumPy, or another machine, must not change."""
    y, x = np.mgrid[:90, :120]
    pixels = (x * x // 7 + x * y // 5 + 3 * y + (x // 9) * (y // 11) * 13) % 256
    assert f"{hash_of(Image.fromarray(pixels.astype(np.uint8))):016x}" == "1074fc072f6039db"


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    body = io.BytesIO()
    image.save(body, "JPEG", quality=quality)
    return Image.open(body)


def cropped(image: Image.Image, part: float) -> Image.Image:
    x, y = round(image.width * part), round(image.height * part)
    return image.crop((x, y, image.width - x, image.height - y))


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "half": lambda image: image.resize((image.width // 2, image.height // 2)),
    "double": lambda image: image.resize((image.width * 2, image.height * 2)),
    "thumbnail": lambda image: image.resize((97, 97 * image.height // image.width)),
    "JPEG of quality 30": lambda image: jpeg(image, 30),
    "JPEG of quality 10": lambda image: jpeg(image, 10),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.15),
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.8),
    "more contrast": lambda image: ImageEnhance.Contrast(image).enhance(1.2),
    "less contrast": lambda image: ImageEnhance.Contrast(image).enhance(0.7),
    "blurred": lambda image: image.filter(ImageFilter.GaussianBlur(3)),
    "gray": lambda image: image.convert("L"),
    "wider": lambda image: image.resize((image.width * 6 // 5, image.height)),
    "cropped by 1% a side": lambda image: cropped(image, 0.01),
}


@pytest.mark.parametrize("copy", COPIES)
@pytest.mark.parametrize("path", PHOTOS, ids=lambda path: path.stem)
def test_a_copy_is_near(path: Path, copy: str) -> None:
    assert distance(photo(path), COPIES[copy](photo(path))) <= DEFAULT_DISTANCE


def test_different_photographs_are_far() -> None:
    images = [photo(path) for path in PHOTOS]
    images += [image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for image in images]
    images += [image.transpose(Image.Transpose.ROTATE_180) for image in images]
    assert min(distance(one, other) for one, other in combinations(images, 2)) > 16


def pixels_of(level: Callable[[np.ndarray, np.ndarray], np.ndarray], width: int, height: int) -> Image.Image:
    y, x = np.mgrid[:height, :width]
    return Image.fromarray((level(x, y) % 256).astype(np.uint8))


SAYING_NOTHING: dict[str, Image.Image] = {
    "black": Image.new("L", (300, 200), 0),
    "white": Image.new("L", (640, 480), 255),
    "one pixel": Image.new("L", (1, 1), 77),
    "a line": pixels_of(lambda x, y: x * x, 57, 1),
    "a column": pixels_of(lambda x, y: y * y, 1, 3_000),
    "a long line": pixels_of(lambda x, y: x // 3, 1_000_000, 1),
    "gradient": pixels_of(lambda x, y: x, 256, 256),
    "gradient down": pixels_of(lambda x, y: y, 100, 256),
    "diagonal gradient": pixels_of(lambda x, y: (x + y) // 2, 256, 256),
    "stripes": pixels_of(lambda x, y: x // 30 % 2 * 255, 300, 200),
    "a light half": pixels_of(lambda x, y: (x > 150) * 200, 300, 200),
    "faint noise": Image.fromarray(np.random.default_rng(1).integers(100, 103, (300, 300), np.uint8)),
}


@pytest.mark.parametrize("name", SAYING_NOTHING)
def test_an_image_with_too_little_in_it_has_no_hash(name: str) -> None:
    assert perceptual_hash(SAYING_NOTHING[name]) is None


def test_a_gray_version_has_its_hash() -> None:
    for path in PHOTOS:
        made = gray_version(path.read_bytes(), Limits(("JPEG",), 40_000_000, 15_000_000))
        with Image.open(path) as image:
            assert made.perceptual_hash == hash_of(image)


def test_a_faint_image_has_its_hash_still() -> None:
    for path in PHOTOS:
        faint = to_gray(photo(path)).point(lambda level: 200 + level // 12)
        assert distance(photo(path), faint) <= DEFAULT_DISTANCE
