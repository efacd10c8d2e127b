"""Small images of every format, and ways to damage them."""

import random
import re
import struct
import zlib
from collections.abc import Iterator
from itertools import pairwise

from PIL import Image

from tests.unit.gray_oracle import saved

HOSTILE = (b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00", b"\xff\xff", b"\x00")

SEAMS = {
    "PNG": re.compile(rb"(?s)....(?=[A-Za-z]{4})"),
    "JPEG": re.compile(rb"\xff[\xc0-\xfe]"),
    "GIF": re.compile(rb"[,!;]"),
    "WEBP": re.compile(rb"VP8[ LX]|ANIM|ANMF|ALPH|EXIF|ICCP|XMP "),
    "BMP": re.compile(rb"(?s)....(?=.{4})"),
    "TIFF": re.compile(rb"(?s)....(?=.{4})"),
}


def small_images() -> dict[str, list[bytes]]:
    """Give files that decode, of every format in several kinds."""
    chance = random.Random(11)
    colour = Image.frombytes("RGB", (16, 12), chance.randbytes(16 * 12 * 3))
    smooth = Image.linear_gradient("L").resize((16, 12)).convert("RGB")
    clear = Image.frombytes("RGBA", (16, 12), chance.randbytes(16 * 12 * 4))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a description"
    moving = {"save_all": True, "append_images": [smooth, colour], "duration": 40}
    return {
        "PNG": [
            saved(colour, "PNG", exif=exif, optimize=True),
            saved(colour.quantize(13), "PNG", transparency=2),
            saved(clear.convert("LA"), "PNG"),
            saved(colour.convert("I;16"), "PNG"),
            saved(smooth.convert("1"), "PNG", dpi=(72, 72)),
            saved(colour, "PNG", **moving),
        ],
        "JPEG": [
            saved(colour, "JPEG", exif=exif),
            saved(smooth, "JPEG", progressive=True, quality=30, icc_profile=bytes(64)),
            saved(colour.convert("CMYK"), "JPEG", comment=b"comment"),
            saved(colour.convert("L"), "JPEG", restart_marker_blocks=1),
            saved(colour, "MPO", save_all=True, append_images=[smooth]),
        ],
        "GIF": [
            saved(colour.quantize(64), "GIF", transparency=3, comment=b"comment"),
            saved(smooth.quantize(7), "GIF", interlace=True),
            saved(colour, "GIF", **moving),
        ],
        "WEBP": [
            saved(colour, "WEBP", exif=exif),
            saved(clear, "WEBP", lossless=True, icc_profile=bytes(64)),
            saved(colour, "WEBP", **moving),
        ],
        "BMP": [
            saved(colour, "BMP"),
            saved(clear, "BMP"),
            saved(colour.quantize(200), "BMP"),
            saved(smooth.convert("1"), "BMP"),
        ],
        "TIFF": [
            saved(colour, "TIFF", exif=exif),
            saved(smooth, "TIFF", compression="tiff_lzw"),
            saved(clear, "TIFF", compression="tiff_adobe_deflate"),
            saved(colour.convert("CMYK"), "TIFF", compression="jpeg"),
            saved(smooth.convert("1"), "TIFF", compression="group4"),
            saved(colour.convert("I;16"), "TIFF", compression="packbits"),
            saved(colour, "TIFF", save_all=True, append_images=[smooth]),
        ],
    }


def damaged(body: bytes, chance: random.Random) -> bytes:
    """Give the file with one to four faults: bytes changed, cut out, doubled, or replaced by extreme numbers."""
    wrong = bytearray(body)
    for _ in range(chance.choice((1, 1, 2, 4))):
        at = chance.randrange(len(wrong))
        # Headers decide the most, so half of the faults are there.
        at = at if chance.random() < 0.5 else min(at, chance.randrange(64))
        match chance.randrange(6):
            case 0:
                wrong[at] ^= 1 << chance.randrange(8)
            case 1:
                wrong[at] = chance.randrange(256)
            case 2:
                hostile = chance.choice(HOSTILE)
                wrong[at : at + len(hostile)] = hostile
            case 3:
                del wrong[at : at + chance.randrange(1, 9)]
            case 4:
                wrong[at:at] = wrong[at : at + chance.randrange(1, 33)]
            case _:
                del wrong[max(at, 1) :]
        if not wrong:
            return b"\0"
    return bytes(wrong)


def parts_of(kind: str, body: bytes) -> list[bytes]:
    """Cut a file where its parts begin, or where it looks as if they did: chunks, segments, frames."""
    seams = [0, *(match.start() for match in SEAMS[kind].finditer(body) if match.start()), len(body)]
    return [body[start:end] for start, end in pairwise(seams)]


def rearranged(kind: str, body: bytes, other: bytes, chance: random.Random) -> bytes:
    """Give the file with its parts, but for the first, swapped, repeated, left out, or mixed with those of another."""
    start, *parts = parts_of(kind, body)
    strange = parts_of(kind, other)
    for _ in range(chance.choice((1, 1, 2))):
        one, two = chance.randrange(len(parts)), chance.randrange(len(parts))
        match chance.randrange(5):
            case 0:
                parts[one], parts[two] = parts[two], parts[one]
            case 1:
                parts[one:one] = [parts[two]] * chance.choice((1, 2, 40, 300))
            case 2 if len(parts) > 1:
                del parts[one]
            case 3:
                parts[one:one] = chance.choices(strange, k=3)
            case _:
                parts[one:] = strange[chance.randrange(len(strange)) :]
    return b"".join((start, *parts))


def with_mended_checksums(body: bytes) -> bytes:
    """Give a PNG whose chunks have the right checksums again, so that a fault gets past them."""
    mended, at = bytearray(body), 8
    while at + 12 <= len(mended):
        (length,) = struct.unpack_from(">I", mended, at)
        end = at + 8 + length
        if end + 4 > len(mended):
            break
        struct.pack_into(">I", mended, end, zlib.crc32(mended[at + 4 : end]))
        at = end + 4
    return bytes(mended)


def mutations(kind: str, count: int, seed: int) -> Iterator[bytes]:
    """Give damaged files of a format, always the same for a seed."""
    chance = random.Random(f"{seed} {kind}")
    files = small_images()[kind]
    for number in range(count):
        wrong = files[number % len(files)]
        way = chance.random()
        if way < 0.4:
            wrong = rearranged(kind, wrong, chance.choice(files), chance)
        if way > 0.3:
            wrong = damaged(wrong, chance)
        yield with_mended_checksums(wrong) if kind == "PNG" and chance.random() < 0.8 else wrong
