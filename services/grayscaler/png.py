"""Writing a gray image as a PNG: losslessly, and many times faster than a general encoder does.

PNG specification (third edition): signature, IHDR, one IDAT with the zlib stream of the filtered lines, IEND.
Every line is filtered with Up (filter type 2: the difference to the line above), which suits photographs, and
deflated by ISA-L. Against Pillow's default this costs a tenth of the time for about a tenth more bytes.
"""

import struct

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from common.png import SIGNATURE, header_of

FILTER_UP = 2
FASTEST_COMPRESSING = 1


def encode(pixels: NDArray[np.uint8]) -> bytes:
    """Encode gray pixels of shape (height, width) as an 8-bit grayscale PNG."""
    height, width = pixels.shape
    return b"".join(
        (
            SIGNATURE,
            *_chunk(b"IHDR", header_of(width, height)),
            *_chunk(b"IDAT", isal_zlib.compress(_filtered(pixels), FASTEST_COMPRESSING)),
            *_chunk(b"IEND", b""),
        )
    )


def _filtered(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Give the lines as differences (modulo 256) to the line above, each behind its filter type."""
    height, width = pixels.shape
    lines = np.empty((height, width + 1), np.uint8)
    lines[:, 0] = FILTER_UP
    lines[0, 1:] = pixels[0]
    np.subtract(pixels[1:], pixels[:-1], out=lines[1:, 1:])
    return lines


def _chunk(name: bytes, data: bytes) -> tuple[bytes, ...]:
    checksum = isal_zlib.crc32(data, isal_zlib.crc32(name))
    return struct.pack(">I", len(data)), name, data, struct.pack(">I", checksum)
