"""From an image's bytes to its gray version as it is stored, and what is told of it."""

import numpy as np

from common.errors import Permanent
from common.reasons import Reason
from services.grayscaler import png
from services.grayscaler.exchange import GrayVersion, Limits
from services.grayscaler.grayscale import grayscale
from services.grayscaler.perceptual import perceptual_hash


def gray_version(body: bytes, limits: Limits) -> GrayVersion:
    """Make the gray version of an image. Raises Permanent with the reason, of `exchange.REASONS`."""
    gray = grayscale(body, formats=limits.formats, max_pixels=limits.max_pixels)
    encoded = png.encode(np.asarray(gray.image))
    if len(encoded) > limits.max_gray_bytes:
        detail = f"{len(encoded):,} bytes as PNG, allowed are {limits.max_gray_bytes:,}"
        raise Permanent(Reason.GRAY_TOO_LARGE, detail)
    return GrayVersion(
        encoded,
        gray.image.width,
        gray.image.height,
        gray.format,
        gray.mode,
        gray.orientation,
        tuple(gray.image.histogram()),
        perceptual_hash(gray.image),
    )
