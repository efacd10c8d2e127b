"""`image.fetched` becomes `image.grayscaled`."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from common.errors import Permanent
from common.facts import ImageFetched, ImageGrayscaled
from common.message import Message
from common.reasons import Reason
from services.grayscaler import png
from services.grayscaler.grayscale import grayscale
from services.grayscaler.perceptual import perceptual_hash


@dataclass(frozen=True)
class Grayscaler:
    """Makes an image gray, within the limits."""

    formats: tuple[str, ...]
    max_pixels: int
    max_gray_bytes: int

    def handle(self, message: Message) -> Iterator[Message]:
        """Handle one fetched image. Raises Permanent."""
        fetched = ImageFetched.from_message(message)
        gray = grayscale(fetched.body, formats=self.formats, max_pixels=self.max_pixels)
        encoded = png.encode(np.asarray(gray.image))
        if len(encoded) > self.max_gray_bytes:
            detail = f"{len(encoded):,} bytes as PNG, allowed are {self.max_gray_bytes:,}"
            raise Permanent(Reason.GRAY_TOO_LARGE, detail)
        yield ImageGrayscaled(
            fetched.item,
            fetched.message_id,
            encoded,
            gray.image.width,
            gray.image.height,
            gray.format,
            gray.mode,
            gray.orientation,
            tuple(gray.image.histogram()),
            perceptual_hash(gray.image),
        ).to_message()
