"""A photo's name, a size and a file extension in; the encoded picture out."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps

from samples.cache import ByteCache

PHOTOS = Path(__file__).parent / "photos"
NAMES = ("astronaut", "chelsea", "coffee", "rocket")
CACHE_BYTES = 32 * 2**20
JPEG_QUALITY = 85


@dataclass(frozen=True)
class Size:
    """Width and height in pixels."""

    width: int
    height: int


@dataclass(frozen=True)
class Format:
    """What Pillow calls a format and what HTTP calls it."""

    pillow_name: str
    content_type: str


FORMATS = {
    "jpg": Format("JPEG", "image/jpeg"),
    "png": Format("PNG", "image/png"),
    "gif": Format("GIF", "image/gif"),
    "webp": Format("WEBP", "image/webp"),
    "bmp": Format("BMP", "image/bmp"),
    "tiff": Format("TIFF", "image/tiff"),
}


def name_for(size: Size) -> str:
    """The one photo shown at this size, so that a URL without a name still has fixed bytes."""
    return NAMES[zlib.crc32(f"{size.width}x{size.height}".encode()) % len(NAMES)]


class Album:
    """The photos of this folder, cropped to the aspect asked for, resized and encoded."""

    def __init__(self, cache_bytes: int = CACHE_BYTES) -> None:
        self._cache = ByteCache(cache_bytes)

    def picture(self, name: str, size: Size, extension: str = "jpg") -> bytes:
        """The same bytes at each call with the same Pillow. `name` and `extension` are known ones."""
        return self._cache.get_or_make((name, size, extension), partial(_encode, name, size, extension))


def _encode(name: str, size: Size, extension: str) -> bytes:
    with Image.open(PHOTOS / f"{name}.jpg") as photo:
        image = ImageOps.fit(photo, (size.width, size.height), Image.Resampling.LANCZOS)
    body = BytesIO()
    image.save(body, FORMATS[extension].pillow_name, quality=JPEG_QUALITY)
    return body.getvalue()
