"""Finding the perceptual hashes within a Hamming distance of one without a scan: multi-index hashing.

A hash of 63 bits is cut into three bands of 21. Two hashes within a distance are nearly alike in some band: band b,
counted from 0, differs in at most (distance - b) // 3 bits, or all together would differ in more than the distance.
So who looks every band up, with every choice of so many of its bits flipped, finds all of them, and few others.

M. Norouzi, A. Punjani, D. J. Fleet: Fast Exact Search in Hamming Space with Multi-Index Hashing, TPAMI 36 (6), 2014.
"""

from functools import lru_cache
from itertools import combinations

HASH_BITS = 63
BANDS = 3
BAND_BITS = HASH_BITS // BANDS
KEYS = BANDS << BAND_BITS
DEFAULT_DISTANCE = 6
"""Copies that were scaled, compressed or brightened are within it, different images are not: see docs/design.md."""
MOST_DISTANCE = 11
"""The last that needs no more than three flips, which are 4,686 keys."""


def band_keys(perceptual_hash: int) -> list[int]:
    """Give the hash's three bands as keys below `KEYS`: the band's number in front of its bits."""
    bits = (1 << BAND_BITS) - 1
    return [band << BAND_BITS | perceptual_hash >> band * BAND_BITS & bits for band in range(BANDS)]


def flips_for(distance: int) -> range:
    """Give the numbers of flips that a distance takes. Once n were looked up, all hashes within 3n + 2 are found."""
    return range(distance // BANDS + 1)


def neighbours(perceptual_hash: int, distance: int, flips: int) -> list[int]:
    """Give the keys to look up that differ from the hash's own in exactly so many bits, of the bands that take it."""
    return [
        key ^ flipped
        for band, key in enumerate(band_keys(perceptual_hash))
        if flips <= (distance - band) // BANDS
        for flipped in _choices(flips)
    ]


@lru_cache
def _choices(flips: int) -> tuple[int, ...]:
    """Give every choice of so many bits of a band."""
    return tuple(sum(1 << bit for bit in chosen) for chosen in combinations(range(BAND_BITS), flips))
