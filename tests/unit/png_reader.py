"""A reader of gray PNGs that shares nothing with the writer: after the specification, line by line."""

import struct
import zlib


class NotPng(Exception):
    """The bytes are not what the specification asks for."""


def read_gray(body: bytes) -> tuple[int, int, bytes]:
    """Give width, height and pixels of an 8-bit gray PNG; raises NotPng if the least thing is wrong."""
    if body[:8] != b"\x89PNG\r\n\x1a\n":
        raise NotPng("signature")
    chunks = _chunks(body)
    if [name for name, _data in chunks] != [b"IHDR", b"IDAT", b"IEND"] or chunks[2][1]:
        raise NotPng(f"chunks {chunks}")
    width, height, *how = struct.unpack(">IIBBBBB", chunks[0][1])
    if how != [8, 0, 0, 0, 0]:
        raise NotPng(f"kind {how}")
    inflater = zlib.decompressobj()
    data = inflater.decompress(chunks[1][1]) + inflater.flush()
    if not inflater.eof or inflater.unused_data or len(data) != height * (width + 1):
        raise NotPng("pixel data ends early or goes on")
    return width, height, _unfiltered(data, width)


def _chunks(body: bytes) -> list[tuple[bytes, bytes]]:
    chunks, at = [], 8
    while at < len(body):
        (length,) = struct.unpack_from(">I", body, at)
        name, data = body[at + 4 : at + 8], body[at + 8 : at + 8 + length]
        if body[at + 8 + length : at + 12 + length] != struct.pack(">I", zlib.crc32(name + data)):
            raise NotPng(f"checksum of {name!r}")
        chunks.append((name, data))
        at += 12 + length
    return chunks


def _unfiltered(data: bytes, width: int) -> bytes:
    above, lines = bytes(width), []
    for start in range(0, len(data), width + 1):
        kind, line = data[start], data[start + 1 : start + 1 + width]
        if kind == 2:
            line = bytes((value + up) & 255 for value, up in zip(line, above, strict=True))
        elif kind != 0:
            raise NotPng(f"filter {kind}: this reader knows None and Up")
        lines.append(line)
        above = line
    return b"".join(lines)
