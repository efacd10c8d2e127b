"""The perceptual hash: 63 bits that change little when an image is scaled, compressed, brightened or blurred.

pHash, as C. Zauner describes it (Implementation and Benchmarking of Perceptual Image Hash Functions, 2010, 3.2.1),
of the exact gray version:

1. The image becomes 32 x 32 means, whole numbers, whatever its shape. They overlap by half (a triangle filter):
   means of boxes side by side change several times as much when the image is scaled.
2. Their two-dimensional DCT-II: wave (u, v) is the sum over x, y of mean(y, x) cos((2y+1)u pi/64) cos((2x+1)v pi/64).
3. Of the 64 lowest waves (u and v below 8) all but (0, 0), which is the brightness, are compared with their median:
   a bit is 1 where the wave is greater.

The cosines are taken as whole 1024ths, so that every product and sum is a whole number below 2**53: exact in floating
point, in any order, and so the same on every machine. Only the means depend on Pillow's fixed-point arithmetic.

The bits are in the order of every third wave, so that each band of the index (`common.multi_index`) has low waves and
high ones: waves side by side go together, and many more images would share a band that is made of them.
"""

import numpy as np
from PIL import Image

from common.multi_index import BANDS

MEANS = 32
WAVES = 8
ONE = 1024
REDUCING_GAP = 2.0
"""Sides are first divided by a whole number, to twice the means at the least: this is quick, and the bits are the same
but for waves that are nearly the median."""
ROUNDING = 20 * ONE * ONE
"""Three standard deviations of what rounding the means adds to a wave."""

MEDIAN = (WAVES * WAVES - 1) // 2
COSINES = np.rint(ONE * np.cos(np.outer(np.arange(WAVES), 2 * np.arange(MEANS) + 1) * np.pi / (2 * MEANS)))


def perceptual_hash(gray: Image.Image) -> int | None:
    """Give the hash of an image of mode L, below 2**63; the Hamming distance of two tells how alike they look.

    None when most waves are no more than rounding: of a flat image, a gradient or stripes. The bits would tell
    nothing, and all such images would be taken for the same.
    """
    means = gray.resize((MEANS, MEANS), Image.Resampling.BILINEAR, reducing_gap=REDUCING_GAP)
    waves = (COSINES @ np.asarray(means, np.float64) @ COSINES.T).ravel()[1:]
    if np.partition(np.abs(waves), MEDIAN)[MEDIAN] < ROUNDING:
        return None
    bits = waves > np.partition(waves, MEDIAN)[MEDIAN]
    return int.from_bytes(np.packbits(bits.reshape(-1, BANDS).T).tobytes()) >> 1
