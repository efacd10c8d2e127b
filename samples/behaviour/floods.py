"""Answers that cost whoever takes them whole far more than they cost here."""

from __future__ import annotations

import gzip
import struct
import zlib
from functools import cache
from http import HTTPStatus

from samples import delivery
from samples.answer import Answer
from samples.behaviour.pictures import JPEG, picture
from samples.visit import Visit

JPEG_SIGNATURE = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
OVERSIZED_BYTES = 32 * 2**20
UNZIPPED_MEGABYTES = 256
BOMB_SIDE = 30_000


def oversized(_visit: Visit) -> Answer:
    """Too long, and Content-Length says so."""
    return Answer(
        HTTPStatus.OK,
        JPEG,
        JPEG_SIGNATURE,
        promised_bytes=OVERSIZED_BYTES,
        delivery=delivery.filled_with_zeros(OVERSIZED_BYTES),
    )


def endless(_visit: Visit) -> Answer:
    """Chunks for as long as somebody listens."""
    return Answer(HTTPStatus.OK, JPEG, JPEG_SIGNATURE, promised_bytes="chunked", delivery=delivery.without_end)


def bomb(_visit: Visit) -> Answer:
    """A valid PNG of 110 kB and 900 million pixels."""
    return picture(_one_colour_png(BOMB_SIDE), "image/png")


def gzip_bomb(_visit: Visit) -> Answer:
    """A quarter of a megabyte on the wire, a quarter of a gigabyte once its coding is undone."""
    # As many members, one after the other, of a megabyte each (RFC 1952, 2.2): made at once.
    return picture(gzip.compress(bytes(2**20), mtime=0) * UNZIPPED_MEGABYTES, JPEG, ("Content-Encoding", "gzip"))


@cache
def _one_colour_png(side: int) -> bytes:
    # Gray with one bit a pixel: 8-bit rows would not compress below 870 kB. By hand, because Pillow
    # would hold all the pixels. A row is its filter type, here 0, and its pixels, here black.
    row_bytes = 1 + (side + 7) // 8
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    pixels = _zeros_compressed(side * row_bytes)
    return PNG_SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


@cache
def _zeros_compressed(total_bytes: int) -> bytes:
    compressor = zlib.compressobj(level=9)
    whole, rest = divmod(total_bytes, len(delivery.CHUNK))
    pieces = [compressor.compress(delivery.CHUNK) for _ in range(whole)]
    return b"".join([*pieces, compressor.compress(bytes(rest)), compressor.flush()])
