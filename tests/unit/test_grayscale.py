"""The gray is exactly (R + G + B) // 3, for every kind of pixel there is."""

import io
import random

import numpy as np
import pytest
from PIL import Image

from common.errors import Permanent
from common.reasons import Reason
from services.grayscaler.grayscale import Grayscaled, grayscale, to_gray
from tests.unit.gray_oracle import CASES, PIXELS, chunk, gray_of, png, saved

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # Pillow's advice, nothing that concerns pixels

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
SEED = 20240531


def gray(body: bytes, formats: tuple[str, ...] = FORMATS) -> Grayscaled:
    return grayscale(body, formats=formats, max_pixels=1_000_000)


@pytest.mark.parametrize("name", CASES)
def test_every_pixel_of_every_mode_is_what_the_oracle_says(name: str) -> None:
    case = CASES[name](random.Random(f"{SEED} {name}"))
    made = gray(case.body)
    assert len(case.gray) == PIXELS > 10_000
    assert (made.image.mode, made.image.size) == ("L", case.size)
    differences = sum(ours != theirs for ours, theirs in zip(made.image.tobytes(), case.gray, strict=True))
    assert differences == 0
    assert made.mode == case.mode
    assert made.format == name.split(maxsplit=1)[0]


@pytest.mark.parametrize(
    ("colour", "level"),
    [
        ((200, 200, 200), 200),
        ((255, 255, 254), 254),
        ((255, 255, 255), 255),
        ((0, 0, 2), 0),
        ((1, 1, 1), 1),
        ((0, 255, 0), 85),
        ((255, 0, 1), 85),
    ],
)
def test_a_colour_is_floored_and_not_rounded(colour: tuple[int, int, int], level: int) -> None:
    assert gray(png([colour], depth=8, colour_type=2, size=(1, 1))).image.tobytes() == bytes([level])


def test_all_766_sums_are_right() -> None:
    colours = [(total // 3, (total + 1) // 3, (total + 2) // 3) for total in range(766)]
    colours += [(min(total, 255), min(max(total - 255, 0), 255), max(total - 510, 0)) for total in range(766)]
    assert sorted({sum(colour) for colour in colours}) == list(range(766))
    made = gray(png(colours, depth=8, colour_type=2, size=(766, 2)))
    assert made.image.tobytes() == bytes(sum(colour) // 3 for colour in colours) == gray_of(colours)


def test_all_16777216_colours_are_right() -> None:
    plane = np.empty((256, 256, 3), np.uint8)
    plane[..., 1] = np.arange(256)[:, None]
    plane[..., 2] = np.arange(256)
    for red in range(256):
        plane[..., 0] = red
        expected = plane.sum(axis=2, dtype=np.uint16) // 3
        assert np.array_equal(np.asarray(to_gray(Image.fromarray(plane))), expected), f"red {red}"


def frames(count: int) -> list[Image.Image]:
    return [Image.new("RGB", (5, 4), (20 * number + 10, 30, 50)) for number in range(count)]


@pytest.mark.parametrize(("kind", "options"), [("GIF", {}), ("PNG", {}), ("WEBP", {"lossless": True})])
def test_of_an_animation_the_first_frame_counts(kind: str, options: dict[str, bool]) -> None:
    first, *others = frames(6)
    body = saved(first, kind, save_all=True, append_images=others, duration=50, **options)
    with Image.open(io.BytesIO(body)) as image:
        assert image.n_frames == 6  # type: ignore[attr-defined]
    assert gray(body).image.tobytes() == bytes([(10 + 30 + 50) // 3]) * 20


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_orientation_is_told_and_not_applied(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    made = gray(saved(Image.new("RGB", (7, 3)), kind, exif=exif))
    assert made.orientation == 6
    assert made.image.size == (7, 3)


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_an_orientation_that_is_none_counts_as_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert gray(saved(Image.new("RGB", (7, 3)), "JPEG", exif=exif)).orientation == 1


@pytest.mark.parametrize("exif", [b"", b"II", b"MM\0*\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff", bytes(50)])
def test_a_damaged_exif_block_says_nothing_about_the_pixels(exif: bytes) -> None:
    made = gray(png([(1, 2, 3)], depth=8, colour_type=2, size=(1, 1), eXIf=exif))
    assert (made.image.tobytes(), made.orientation) == (b"\2", 1)


def test_bytes_behind_the_end_do_not_matter() -> None:
    body = png([(1, 2, 3)], depth=8, colour_type=2, size=(1, 1))
    assert gray(body + b"PK\3\4" + bytes(1_000)).image.tobytes() == b"\2"


def test_an_unknown_chunk_does_not_matter() -> None:
    body = png([(1, 2, 3)], depth=8, colour_type=2, size=(1, 1))
    assert gray(body[:33] + chunk(b"prVt", b"?" * 100) + body[33:]).image.tobytes() == b"\2"


def test_tiff_is_read_once_it_is_allowed() -> None:
    body = saved(Image.new("RGB", (2, 2), (200, 200, 200)), "TIFF")
    assert gray(body, ("PNG", "TIFF")).image.tobytes() == bytes([200] * 4)


@pytest.mark.parametrize("mode", ["I", "F"])
def test_pixels_without_an_agreed_range_are_refused(mode: str) -> None:
    with pytest.raises(Permanent) as refused:
        gray(saved(Image.new(mode, (2, 2)), "TIFF"), ("TIFF",))
    assert refused.value.reason is Reason.DECODE
