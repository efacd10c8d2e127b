"""Looking the bands up finds every hash within the distance, and looks no more of them up than it says."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as some

from common.multi_index import BANDS, HASH_BITS, KEYS, MOST_DISTANCE, band_keys, flips_for, neighbours

HASHES = some.integers(0, 2**HASH_BITS - 1)
FLIPPED = some.sets(some.integers(0, HASH_BITS - 1), max_size=MOST_DISTANCE)


def looked_up(value: int, distance: int) -> Iterator[int]:
    for flips in flips_for(distance):
        yield from neighbours(value, distance, flips)


@given(HASHES, FLIPPED, some.integers(0, MOST_DISTANCE))
def test_a_hash_within_the_distance_shares_a_key(value: int, flipped: set[int], more: int) -> None:
    other = value ^ sum(1 << bit for bit in flipped)
    distance = min(len(flipped) + more, MOST_DISTANCE)
    assert set(band_keys(other)) & set(looked_up(value, distance))


@given(HASHES, FLIPPED)
def test_the_nearest_are_found_with_the_fewest_flips(value: int, flipped: set[int]) -> None:
    other = value ^ sum(1 << bit for bit in flipped)
    first = {key for flips in range(len(flipped) // BANDS + 1) for key in neighbours(value, MOST_DISTANCE, flips)}
    assert set(band_keys(other)) & first


@pytest.mark.parametrize(("distance", "keys"), [(0, 1), (1, 2), (2, 3), (3, 24), (5, 66), (8, 696), (11, 4_686)])
def test_a_distance_takes_so_many_keys_each_once(distance: int, keys: int) -> None:
    found = list(looked_up(random.Random(distance).getrandbits(HASH_BITS), distance))
    assert len(set(found)) == len(found) == keys
    assert all(0 <= key < KEYS for key in found)


@given(HASHES, HASHES)
def test_two_hashes_with_the_same_keys_are_the_same(value: int, other: int) -> None:
    assert (band_keys(value) == band_keys(other)) == (value == other)
