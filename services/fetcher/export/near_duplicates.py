"""Which images of an export are near-duplicates of another one of it, and are left out for it.

The images are taken in an order, the largest first. Each is kept, unless one that was kept before is within the
distance. So no two of those kept are within it, and each one left out is within it of one that is kept.
"""

from array import array
from collections.abc import Callable

from common.multi_index import BANDS, KEYS, band_keys, flips_for, neighbours
from services.fetcher.export.snapshot import Choosing

NOWHERE = -1
MD5_BYTES = 16
TOLD_EVERY = 1_000


class Kept:
    """The hashes kept, found by their bands. This takes 25 MB, and 20 bytes a hash."""

    def __init__(self, distance: int) -> None:
        self._distance = distance
        self._hashes = array("q")
        # For each key, the latest of the hashes that have it; for each band of a hash, the one before it.
        self._latest = array("i", [NOWHERE]) * KEYS
        self._before = array("i")

    def add(self, value: int) -> None:
        """Keep a hash; its number is how many were kept before."""
        for key in band_keys(value):
            self._before.append(self._latest[key])
            self._latest[key] = len(self._before) - 1
        self._hashes.append(value)

    def nearest(self, value: int) -> int | None:
        """Give the number of the nearest hash within the distance, of several the first; None when there is none."""
        found = (self._distance + 1, NOWHERE)
        for flips in flips_for(self._distance):
            keys = neighbours(value, self._distance, flips)
            for latest in [place for key in keys if (place := self._latest[key]) != NOWHERE]:
                place = latest
                while place != NOWHERE:
                    differing = (self._hashes[place // BANDS] ^ value).bit_count()
                    if differing <= found[0]:
                        found = min(found, (differing, place // BANDS))
                    place = self._before[place]
            if found[0] <= BANDS * flips + BANDS - 1:
                break  # what takes more flips is farther away
        return found[1] if found[0] <= self._distance else None


def leave_out(chosen: Choosing, distance: int, told: Callable[[int], None]) -> None:
    """Leave out the near-duplicates of what was chosen. `told` hears how many images it was so far."""
    kept = Kept(distance)
    md5s = bytearray()
    for looked_at, (md5, value) in enumerate(chosen.hashed(), 1):
        number = kept.nearest(value)
        if number is None:
            kept.add(value)
            md5s += bytes.fromhex(md5)
        else:
            chosen.leave_out(md5, md5s[number * MD5_BYTES : (number + 1) * MD5_BYTES].hex())
        if looked_at % TOLD_EVERY == 0:
            told(looked_at)
