"""How a gray PNG begins, and whether bytes are one, as far as can be told without unpacking its pixels.

To unpack them would take as long as all else that is done to store an image; the checksums, a fortieth of that.
"""

import struct
from zlib import crc32

SIGNATURE = b"\x89PNG\r\n\x1a\n"
EIGHT_BITS_OF_GRAY = b"\x08\x00\x00\x00\x00"


def header_of(width: int, height: int) -> bytes:
    """Give what stands in the header of a gray PNG of this size."""
    return struct.pack(">II", width, height) + EIGHT_BITS_OF_GRAY


def start_of(width: int, height: int) -> bytes:
    """Give the bytes that a gray PNG of this size begins with: the signature and the header."""
    header = header_of(width, height)
    return SIGNATURE + struct.pack(">I4s", len(header), b"IHDR") + header


def is_whole(body: bytes) -> bool:
    """Tell whether all chunks are there and undamaged: a header, pixels, an end, and nothing else."""
    chunks = memoryview(body)[len(SIGNATURE) :]
    names = []
    while len(chunks) >= 12:
        (length,) = struct.unpack_from(">I", chunks)
        end = 8 + length
        if len(chunks) < end + 4 or struct.unpack_from(">I", chunks, end) != (crc32(chunks[4:end]),):
            return False
        names.append(bytes(chunks[4:8]))
        chunks = chunks[end + 4 :]
    return not chunks and names[:1] == [b"IHDR"] and names[-1:] == [b"IEND"] and set(names[1:-1]) == {b"IDAT"}
