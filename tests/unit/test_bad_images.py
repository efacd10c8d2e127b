"""What strangers hand in as images, and the reason that each must end with: as the fetcher and the decoder see them."""

import random
import struct
import zlib
from collections.abc import Callable, Iterator

import pytest
from PIL import Image

from common.errors import Permanent, Poison
from common.fetching.signature import media_type
from common.reasons import Reason
from services.grayscaler.decoder import Decoder
from services.grayscaler.exchange import GrayVersion, Limits
from tests.unit.gray_oracle import CASES, PIXELS, chunk, png, saved
from tests.unit.png_reader import read_gray

LIMITS = Limits(("PNG", "JPEG", "GIF", "WEBP", "BMP"), 40_000_000, 1_000_000)
MEBIBYTE = 1024 * 1024
SEED = 20260101
GOOD = None
"""No reason: there is a gray version."""


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    decoder = Decoder(LIMITS, seconds=30, memory_bytes=300 * MEBIBYTE)
    yield decoder
    decoder.close()


def noise(width: int, height: int) -> Image.Image:
    return Image.frombytes("RGB", (width, height), random.Random(SEED).randbytes(3 * width * height))


def half(kind: str) -> bytes:
    body = saved(noise(80, 60), kind)
    return body[: len(body) // 2]


def with_a_broken_checksum(name: bytes) -> bytes:
    body = bytearray(saved(noise(80, 60), "PNG"))
    body[body.index(name) + 10] ^= 1
    return bytes(body)


def black(width: int, height: int) -> bytes:
    """Write an image of black and nothing else, a bit for each pixel."""
    deflater = zlib.compressobj(9)
    line = bytes(1 + (width + 7) // 8)
    data = b"".join(deflater.compress(line) for _ in range(height)) + deflater.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def bomb(name: bytes, start: bytes) -> bytes:
    """Put a gigabyte of zeros, packed, into chunks before the pixels."""
    deflater = zlib.compressobj(9)
    packed = b"".join(deflater.compress(bytes(MEBIBYTE)) for _ in range(64)) + deflater.flush()
    body = png([(9, 9, 9)], depth=8, colour_type=2, size=(1, 1))
    return body[:33] + chunk(name, start + packed) * 16 + body[33:]


def animation(kind: str, frames: int = 3_000) -> bytes:
    first, *others = (Image.new("L", (2, 2), number % 256) for number in range(frames))
    return saved(first, kind, save_all=True, append_images=others, duration=20)


def of_mode(name: str) -> Callable[[], bytes]:
    return lambda: CASES[name](random.Random(f"{SEED} {name}")).body


IMAGES: dict[str, tuple[Callable[[], bytes], Reason | None]] = {
    # Damaged, empty, tiny, long.
    "a PNG cut at half": (lambda: half("PNG"), Reason.TRUNCATED),
    "a JPEG cut at half": (lambda: half("JPEG"), Reason.TRUNCATED),
    "a GIF cut at half": (lambda: half("GIF"), Reason.TRUNCATED),
    "a WebP cut at half": (lambda: half("WEBP"), Reason.DECODE),
    "a BMP cut at half": (lambda: half("BMP"), Reason.TRUNCATED),
    "a broken checksum of the pixels": (lambda: with_a_broken_checksum(b"IDAT"), Reason.DECODE),
    "a broken checksum of the header": (lambda: with_a_broken_checksum(b"IHDR"), Reason.NOT_AN_IMAGE),
    "no byte": (lambda: b"", Reason.NOT_AN_IMAGE),
    "one byte": (lambda: b"\xff", Reason.NOT_AN_IMAGE),
    "zeros": (lambda: bytes(10_000), Reason.NOT_AN_IMAGE),
    "1 x 1": (lambda: black(1, 1), GOOD),
    "1 x 20,000": (lambda: black(1, 20_000), GOOD),
    "20,000 x 1": (lambda: black(20_000, 1), GOOD),
    # Bombs.
    "30,000 x 30,000": (lambda: black(30_000, 30_000), Reason.TOO_MANY_PIXELS),
    "a text bomb (zTXt)": (lambda: bomb(b"zTXt", b"k\0\0"), Reason.DECODE),
    "a text bomb (iTXt)": (lambda: bomb(b"iTXt", b"k\0\1\0\0\0"), Reason.DECODE),
    "a profile bomb": (lambda: bomb(b"iCCP", b"k\0\0"), Reason.DECODE),
    # Thousands of frames.
    "an animated GIF": (lambda: animation("GIF"), GOOD),
    "an animated PNG": (lambda: animation("PNG"), GOOD),
    "an animated WebP": (lambda: animation("WEBP"), GOOD),
    # What is never parsed, whatever its name.
    "EPS": (lambda: saved(noise(4, 4), "EPS"), Reason.FORMAT_NOT_ALLOWED),
    "PSD": (lambda: b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 1, 1, 8, 3), Reason.FORMAT_NOT_ALLOWED),
    "PDF": (lambda: saved(noise(4, 4), "PDF"), Reason.FORMAT_NOT_ALLOWED),
    "SVG": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg" width="1"/>', Reason.FORMAT_NOT_ALLOWED),
    "ICNS": (lambda: saved(noise(16, 16), "ICNS"), Reason.FORMAT_NOT_ALLOWED),
    "TIFF": (lambda: saved(noise(4, 4), "TIFF"), Reason.FORMAT_NOT_ALLOWED),
    # Every kind of pixel.
    **{name: (of_mode(name), GOOD) for name in CASES},
    # More gray than can be stored.
    "noise": (lambda: saved(noise(1_100, 1_000), "PNG"), Reason.GRAY_TOO_LARGE),
}


def end_of(decoder: Decoder, body: bytes) -> Reason | None:
    """Tell how an item with this body ends: the fetcher looks at the first bytes, the grayscaler at all of them."""
    try:
        media_type(body, LIMITS.formats)
    except Permanent as refused:
        return refused.reason
    [answer] = decoder.decode([body])
    assert not isinstance(answer, Poison)
    return answer.reason if isinstance(answer, Permanent) else GOOD


@pytest.mark.parametrize("name", IMAGES)
def test_a_strange_image_ends_with_its_reason_or_a_gray_version(decoder: Decoder, name: str) -> None:
    make, reason = IMAGES[name]
    assert end_of(decoder, make()) is reason


@pytest.mark.parametrize("name", CASES)
def test_every_kind_of_pixel_is_gray_by_the_rules(decoder: Decoder, name: str) -> None:
    case = CASES[name](random.Random(f"{SEED} {name}"))
    [answer] = decoder.decode([case.body])
    assert isinstance(answer, GrayVersion)
    width, height, pixels = read_gray(answer.png)
    assert ((width, height), answer.mode) == (case.size, case.mode)
    assert sum(ours != theirs for ours, theirs in zip(pixels, case.gray, strict=True)) == 0
    assert sum(answer.histogram) == PIXELS
