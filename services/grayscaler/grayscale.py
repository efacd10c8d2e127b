"""The gray version of an image: `(R + G + B) // 3` for every pixel, exactly.

The rules for what is not 8-bit RGB. Pixels are taken as stored: EXIF orientation is told, not applied.
  alpha          dropped, not blended             palette    looked up to RGB
  gray, 1 bit    R = G = B                        CMYK ...   to RGB as Pillow does, without colour profiles
  16 bit         the upper eight bits             animation  the first frame
"""

import struct
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.ExifTags import Base as ExifTag

from common.errors import Permanent
from common.reasons import Reason

THIRDS = (1 / 3, 1 / 3, 1 / 3, -1 / 3)
"""Pillow multiplies, adds the offset and rounds to the nearest. With the offset of -1/3 a sum of 3k, 3k + 1 or 3k + 2
lands at k - 1/3, k or k + 1/3, so all three round to k: the floor, with a sixth to spare for floating point."""
ALREADY_GRAY = {"1", "L", "LA"}
SIXTEEN_BITS = {"I;16", "I;16L", "I;16B", "I;16N"}


@dataclass(frozen=True, slots=True)
class Grayscaled:
    """The gray image (mode L), and the format, mode and EXIF orientation (1 to 8) of what it was made from."""

    image: Image.Image
    format: str
    mode: str
    orientation: int


def grayscale(body: bytes, *, formats: tuple[str, ...], max_pixels: int) -> Grayscaled:
    """Decode an image once and make it gray.

    Only `formats` are tried, and nothing is decoded when the header tells of more than `max_pixels`. Raises
    Permanent with the reason: not_an_image, too_many_pixels, truncated, decode.
    """
    try:
        return _decoded(body, formats, max_pixels)
    except (Permanent, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise Permanent(Reason.NOT_AN_IMAGE, f"none of {', '.join(formats)}") from error
    except Image.DecompressionBombError as error:
        raise _too_many(str(error)) from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # it comes from the system
        # Whatever else a decoder raises is the file's fault.
        reason = Reason.TRUNCATED if _ends_early(error) else Reason.DECODE
        raise Permanent(reason, f"{type(error).__name__}: {error}") from error


def _decoded(body: bytes, formats: tuple[str, ...], max_pixels: int) -> Grayscaled:
    with Image.open(BytesIO(body), formats=formats) as image:
        if image.width * image.height > max_pixels:
            raise _too_many(f"{image.width} x {image.height} pixels, allowed are {max_pixels:,}")
        image.load()
        return Grayscaled(to_gray(image), image.format or "", image.mode, _orientation(image))


def to_gray(image: Image.Image) -> Image.Image:
    """Give a decoded image as mode L, by the rules above. Raises ValueError for a mode that has no rule."""
    if image.mode in ALREADY_GRAY:
        return image if image.mode == "L" else image.convert("L")
    if image.mode in SIXTEEN_BITS:
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise ValueError(f"pixels of mode {image.mode} have no agreed range")
    return (image if image.mode == "RGB" else image.convert("RGB")).convert("L", THIRDS)


def _too_many(detail: str) -> Permanent:
    return Permanent(Reason.TOO_MANY_PIXELS, detail)


def _ends_early(error: Exception) -> bool:
    return isinstance(error, EOFError) or "truncated" in str(error).lower()


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(ExifTag.Orientation, 1)
    except (OSError, SyntaxError, ValueError, KeyError, IndexError, TypeError, struct.error):
        return 1  # a damaged EXIF block says nothing about the pixels
    return value if value in range(1, 9) else 1
