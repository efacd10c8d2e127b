"""Image files whose pixels are known because they were written here, and what their gray must be, pixel by pixel."""

import io
import random
import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from PIL import Image

SIDE = 104  # a multiple of 8, for JPEG; over 10,000 pixels
PIXELS = SIDE * SIDE
Colour = tuple[int, int, int]


class Case(NamedTuple):
    """A file, the gray pixels it must give, line by line, and the mode it is told to have."""

    body: bytes
    gray: bytes
    mode: str
    size: tuple[int, int] = (SIDE, SIDE)


def gray_of(colours: Iterable[Sequence[int]]) -> bytes:
    """Give the gray of red, green and blue; what stands behind them (alpha) does not count."""
    return bytes((colour[0] + colour[1] + colour[2]) // 3 for colour in colours)


def rgb_of_cmyk(cmyk: Sequence[int]) -> Colour:
    """Give what is left of the white that black leaves, rounded to the nearest."""
    white = 255 - cmyk[3]
    red, green, blue = (white - (2 * ink * white + 255) // 510 for ink in cmyk[:3])
    return red, green, blue


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(
    samples: Sequence[Sequence[int]],
    *,
    depth: int,
    colour_type: int,
    size: tuple[int, int] = (SIDE, SIDE),
    **more: bytes,
) -> bytes:
    """Write a PNG, unfiltered: `samples` are the values of each pixel, `more` are chunks before the pixels."""
    width, height = size
    values = [value for pixel in samples for value in pixel]
    in_line = len(values) // height
    lines = b"".join(
        b"\0" + _packed(values[start : start + in_line], depth) for start in range(0, len(values), in_line)
    )
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)),
            *(chunk(name.encode(), data) for name, data in more.items()),
            chunk(b"IDAT", zlib.compress(lines, 1)),
            chunk(b"IEND", b""),
        )
    )


def _packed(values: Sequence[int], depth: int) -> bytes:
    if depth == 16:
        return struct.pack(f">{len(values)}H", *values)
    bits = "".join(format(value, f"0{depth}b") for value in values)
    return int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")


def bmp(colours: Sequence[Colour], size: tuple[int, int] = (SIDE, SIDE)) -> bytes:
    """Write a BMP: blue, green, red, from the lowest line up."""
    width, height = size
    padding = bytes(-3 * width % 4)
    lines = [
        b"".join(bytes(reversed(colour)) for colour in colours[start : start + width]) + padding
        for start in range(0, len(colours), width)
    ]
    pixels = b"".join(reversed(lines))
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(pixels), 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(pixels), 0, 0, 54) + header + pixels


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def random_values(chance: random.Random, per_pixel: int, depth: int = 8) -> list[tuple[int, ...]]:
    values = [chance.randrange(1 << depth) for _ in range(PIXELS * per_pixel)]
    return list(zip(*[iter(values)] * per_pixel, strict=True))


def image_of(mode: str, values: Sequence[Sequence[int]]) -> Image.Image:
    return Image.frombytes(mode, (SIDE, SIDE), bytes(value for pixel in values for value in pixel))


def _palette(chance: random.Random, depth: int, **more: bytes) -> Case:
    colours = [tuple(chance.randbytes(3)) for _ in range(1 << depth)]
    indexes = random_values(chance, 1, depth)
    body = png(indexes, depth=depth, colour_type=3, PLTE=b"".join(map(bytes, colours)), **more)
    return Case(body, gray_of(colours[index] for (index,) in indexes), "P")


def _gray(chance: random.Random, depth: int, mode: str, **more: bytes) -> Case:
    values = random_values(chance, 1, depth)
    scale = {1: 255, 2: 85, 4: 17, 8: 1}
    gray = bytes(value >> 8 if depth == 16 else value * scale[depth] for (value,) in values)
    return Case(png(values, depth=depth, colour_type=0, **more), gray, mode)


def _colour(chance: random.Random, depth: int, colour_type: int, mode: str, **more: bytes) -> Case:
    values = random_values(chance, {2: 3, 4: 2, 6: 4}[colour_type], depth)
    eight_bits = [[value >> (depth - 8) for value in pixel] for pixel in values]
    gray = bytes(pixel[0] for pixel in eight_bits) if colour_type == 4 else gray_of(eight_bits)
    return Case(png(values, depth=depth, colour_type=colour_type, **more), gray, mode)


def _bmp(chance: random.Random) -> Case:
    colours = [(red, green, blue) for red, green, blue in random_values(chance, 3)]
    return Case(bmp(colours), gray_of(colours), "RGB")


def _gif(chance: random.Random, **options: Any) -> Case:
    colours = [chance.randbytes(3) for _ in range(256)]
    indexes = random_values(chance, 1)
    image = image_of("P", indexes)
    image.putpalette(b"".join(colours))
    body = saved(image, "GIF", optimize=False, **options)
    return Case(body, gray_of(colours[index] for (index,) in indexes), "P")


def _webp(chance: random.Random, mode: str) -> Case:
    values = random_values(chance, len(mode))
    return Case(saved(image_of(mode, values), "WEBP", lossless=True, exact=True), gray_of(values), mode)


def _tiles(chance: random.Random, per_pixel: int) -> list[tuple[int, ...]]:
    """Give pixels in even blocks of 8 x 8: at quality 100 JPEG keeps these exactly, as long as no colour is changed."""
    tiles = [tuple(chance.randbytes(per_pixel)) for _ in range((SIDE // 8) ** 2)]
    return [tiles[y // 8 * (SIDE // 8) + x // 8] for y in range(SIDE) for x in range(SIDE)]


def _jpeg_gray(chance: random.Random) -> Case:
    values = _tiles(chance, 1)
    return Case(saved(image_of("L", values), "JPEG", quality=100), bytes(value for (value,) in values), "L")


def _jpeg_cmyk(chance: random.Random, *, adobe: bool) -> Case:
    """Inks are stored inverted, as Adobe does; Pillow takes them so even where Adobe's marker is missing."""
    values = _tiles(chance, 4)
    body = saved(image_of("CMYK", values), "JPEG", quality=100)
    start = body.index(b"\xff\xee")
    (length,) = struct.unpack_from(">H", body, start + 2)
    without = body[:start] + body[start + 2 + length :]
    return Case(body if adobe else without, gray_of(map(rgb_of_cmyk, values)), "CMYK")


def _jpeg_colour(chance: random.Random) -> Case:
    """What YCbCr becomes is the decoder's to say; the gray of it is ours."""
    body = saved(image_of("RGB", random_values(chance, 3)), "JPEG", quality=90)
    with Image.open(io.BytesIO(body)) as image:
        data = image.tobytes()
    return Case(body, gray_of(data[start : start + 3] for start in range(0, len(data), 3)), "RGB")


CASES: dict[str, Callable[[random.Random], Case]] = {
    "PNG 1 bit": lambda chance: _gray(chance, 1, "1"),
    "PNG gray 2 bits": lambda chance: _gray(chance, 2, "L"),
    "PNG gray 4 bits": lambda chance: _gray(chance, 4, "L"),
    "PNG gray": lambda chance: _gray(chance, 8, "L"),
    "PNG gray 16 bits": lambda chance: _gray(chance, 16, "I;16"),
    "PNG gray with a transparent level": lambda chance: _gray(chance, 8, "L", tRNS=b"\0\x07"),
    "PNG RGB": lambda chance: _colour(chance, 8, 2, "RGB"),
    "PNG RGB 16 bits": lambda chance: _colour(chance, 16, 2, "RGB"),
    "PNG RGB with a transparent colour": lambda chance: _colour(chance, 8, 2, "RGB", tRNS=bytes(6)),
    "PNG RGB 16 bits with a transparent colour": lambda chance: _colour(chance, 16, 2, "RGB", tRNS=b"\xff" * 6),
    "PNG LA": lambda chance: _colour(chance, 8, 4, "LA"),
    "PNG LA 16 bits": lambda chance: _colour(chance, 16, 4, "RGBA"),  # Pillow has no other mode for it
    "PNG RGBA": lambda chance: _colour(chance, 8, 6, "RGBA"),
    "PNG RGBA 16 bits": lambda chance: _colour(chance, 16, 6, "RGBA"),
    "PNG palette 1 bit": lambda chance: _palette(chance, 1),
    "PNG palette 2 bits": lambda chance: _palette(chance, 2),
    "PNG palette 4 bits": lambda chance: _palette(chance, 4),
    "PNG palette": lambda chance: _palette(chance, 8),
    "PNG palette with alpha": lambda chance: _palette(chance, 8, tRNS=chance.randbytes(256)),
    "PNG palette with one transparent colour": lambda chance: _palette(chance, 8, tRNS=b"\xff\xff\x00"),
    "PNG with a gamma and a colour profile": lambda chance: _colour(
        chance, 8, 2, "RGB", gAMA=struct.pack(">I", 100_000), iCCP=b"x\0\0" + zlib.compress(bytes(200))
    ),
    "BMP": _bmp,
    "GIF": _gif,
    "GIF with a transparent colour": lambda chance: _gif(chance, transparency=9),
    "WEBP": lambda chance: _webp(chance, "RGB"),
    "WEBP with alpha": lambda chance: _webp(chance, "RGBA"),
    "JPEG gray": _jpeg_gray,
    "JPEG colour": _jpeg_colour,
    "JPEG CMYK of Adobe": lambda chance: _jpeg_cmyk(chance, adobe=True),
    "JPEG CMYK without Adobe's marker": lambda chance: _jpeg_cmyk(chance, adobe=False),
}
