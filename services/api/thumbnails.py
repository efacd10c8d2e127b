"""Making the thumbnail of a gray image."""

import io
from threading import Lock

from PIL import Image

EDGE = 240
"""The longer side, in pixels, of what was larger."""
QUALITY = 75
_decoding = Lock()
"""One at a time: a gray image of MAX_PIXELS takes as many bytes as it is decoded."""


def thumbnail_size(width: int, height: int) -> tuple[int, int]:
    """Give the width and height of the thumbnail of an image; what is small enough stays as large as it is."""
    scale = min(1.0, EDGE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def make_thumbnail(png: bytes) -> bytes:
    """Make a small WebP of a gray PNG of ours, whose pixels were bounded when it was stored."""
    webp = io.BytesIO()
    with _decoding, Image.open(io.BytesIO(png), formats=("PNG",)) as image:
        size = thumbnail_size(image.width, image.height)
        # Averages of whole blocks first, down to twice the size: quicker, and no worse to look at.
        small = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    small.save(webp, "WEBP", quality=QUALITY)
    return webp.getvalue()
