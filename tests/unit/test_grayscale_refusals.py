"""What is no image, or not one we take, ends with a reason out of the list; nothing else comes out of the decoder."""

import io
import random
import struct
import time
import tracemalloc
import zlib

import pytest
from PIL import Image

from common.errors import Permanent
from common.reasons import Reason
from services.grayscaler.grayscale import grayscale
from tests.unit.gray_oracle import bmp, chunk, png, saved

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL", "ignore::RuntimeWarning:PIL")

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
SEED = 20240531
DECODING = {Reason.NOT_AN_IMAGE, Reason.TOO_MANY_PIXELS, Reason.TRUNCATED, Reason.DECODE}
WHITE = (255, 255, 255)


def reason_for(body: bytes, *, max_pixels: int = 40_000_000) -> Reason:
    with pytest.raises(Permanent) as refused:
        grayscale(body, formats=FORMATS, max_pixels=max_pixels)
    assert refused.value.detail
    return refused.value.reason


def noise(kind: str) -> bytes:
    return saved(Image.frombytes("RGB", (80, 60), random.Random(3).randbytes(80 * 60 * 3)), kind)


@pytest.mark.parametrize("kind", FORMATS)
def test_half_an_image_is_truncated(kind: str) -> None:
    body = noise(kind)
    # WebP's decoder does not tell where the damage is.
    expected = {Reason.DECODE, Reason.TRUNCATED, Reason.NOT_AN_IMAGE} if kind == "WEBP" else {Reason.TRUNCATED}
    assert reason_for(body[: len(body) // 2]) in expected


@pytest.mark.parametrize("kind", FORMATS)
def test_an_image_that_ends_in_its_header_is_refused(kind: str) -> None:
    body = noise(kind)
    for length in range(1, 24):
        assert reason_for(body[:length]) in DECODING


@pytest.mark.parametrize("body", [b"", b"\0", b"\xff", bytes(1_000), b"GIF89a", b"BM", b"\x89PNG\r\n\x1a\n", b"<html>"])
def test_what_is_no_image_is_told_so(body: bytes) -> None:
    assert reason_for(body) is Reason.NOT_AN_IMAGE


def test_a_broken_checksum_is_refused() -> None:
    body = bytearray(png([WHITE] * 4, depth=8, colour_type=2, size=(2, 2)))
    body[body.index(b"IDAT") + 10] ^= 1
    assert reason_for(bytes(body)) in {Reason.DECODE, Reason.TRUNCATED, Reason.NOT_AN_IMAGE}


@pytest.mark.parametrize("size", [(0, 0), (0, 2), (2, 0)])
@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP"])
def test_an_image_without_pixels_is_refused(kind: str, size: tuple[int, int]) -> None:
    width, height = size
    body = {
        "PNG": b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        "GIF": b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0) + b"," + struct.pack("<4HB", 0, 0, *size, 0),
        "BMP": bmp([WHITE] * 4, (2, 2))[:18] + struct.pack("<ii", width, height) + bmp([WHITE] * 4, (2, 2))[26:],
    }[kind]
    tail = {"PNG": chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b""), "GIF": b"\2\2\x44\1\0;", "BMP": b""}
    assert reason_for(body + tail[kind]) in DECODING


def one_colour_png(width: int, height: int) -> bytes:
    deflater = zlib.compressobj(9)
    line = bytes(1 + 3 * width)
    data = b"".join(deflater.compress(line) for _ in range(min(height, 100))) + deflater.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(30_000, 30_000), (6_400, 6_400), (40_000_001, 1), (2**31 - 1, 2**31 - 1)])
def test_too_many_pixels_are_refused_before_a_single_one_is_decoded(size: tuple[int, int]) -> None:
    body = one_colour_png(size[0] if size[0] < 50_000 else 10, 10)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0))
    tracemalloc.start()
    try:
        assert reason_for(body[:8] + header + body[33:]) is Reason.TOO_MANY_PIXELS
        _now, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 2_000_000


def test_as_many_pixels_as_allowed_are_taken() -> None:
    body = png([WHITE] * 100, depth=8, colour_type=2, size=(10, 10))
    assert grayscale(body, formats=FORMATS, max_pixels=100).image.size == (10, 10)
    assert reason_for(body, max_pixels=99) is Reason.TOO_MANY_PIXELS


@pytest.mark.parametrize("name", [b"zTXt", b"iTXt", b"iCCP"])
def test_a_small_chunk_that_would_unpack_to_a_gigabyte_stays_small(name: bytes) -> None:
    deflater = zlib.compressobj(9)
    packed = b"".join(deflater.compress(bytes(1 << 20)) for _ in range(64)) + deflater.flush()
    start = b"k\0\1\0\0\0" if name == b"iTXt" else b"k\0\0"
    body = png([WHITE], depth=8, colour_type=2, size=(1, 1))
    bomb = body[:33] + chunk(name, start + packed) * 16 + body[33:]
    assert len(bomb) < 2_000_000
    tracemalloc.start()
    try:
        _gray_or_reason(bomb)
        _now, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 100_000_000


STRANGERS = {
    "EPS": saved(Image.new("RGB", (4, 4)), "EPS"),
    "PDF": saved(Image.new("RGB", (4, 4)), "PDF"),
    "PSD": b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 1, 1, 8, 3) + bytes(12) + bytes(5),
    "SVG": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>',
    "ICO": saved(Image.new("RGB", (16, 16)), "ICO"),
    "ICNS": saved(Image.new("RGBA", (16, 16)), "ICNS"),
    "PPM": saved(Image.new("RGB", (4, 4)), "PPM"),
    "TGA": saved(Image.new("RGB", (4, 4)), "TGA"),
    "TIFF": saved(Image.new("RGB", (4, 4)), "TIFF"),
    "JPEG2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(100),
}


@pytest.mark.parametrize("name", STRANGERS)
def test_a_format_that_is_not_allowed_is_never_parsed(name: str) -> None:
    assert reason_for(STRANGERS[name]) is Reason.NOT_AN_IMAGE


@pytest.mark.parametrize("name", ["EPS", "PSD", "ICO", "ICNS", "PPM", "TGA", "TIFF"])
def test_pillow_left_alone_would_have_parsed_it(name: str) -> None:
    with Image.open(io.BytesIO(STRANGERS[name])) as image:
        assert image.format == name


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_thousands_of_frames_only_the_first_is_decoded(kind: str) -> None:
    frames = [Image.new("L", (2, 2), number % 256) for number in range(3_000)]
    body = saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=20)
    started = time.monotonic()
    assert grayscale(body, formats=FORMATS, max_pixels=100).image.size == (2, 2)
    assert time.monotonic() - started < 1


def _gray_or_reason(body: bytes) -> Reason | None:
    try:
        made = grayscale(body, formats=FORMATS, max_pixels=1_000_000)
    except Permanent as refused:
        return refused.reason
    assert made.image.mode == "L"
    assert len(made.image.tobytes()) == made.image.width * made.image.height > 0
    assert 1 <= made.orientation <= 8
    return None
