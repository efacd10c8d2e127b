"""Leaving near-duplicates out: against a comparison of every image with every other one."""

import hashlib
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from common.manifest import Image
from common.multi_index import HASH_BITS, MOST_DISTANCE
from services.fetcher.export.directory import Directory
from services.fetcher.export.near_duplicates import leave_out
from services.fetcher.export.snapshot import Chosen, choosing, snapshot

SEED = 20240531
SIZES = [(2, 3), (3, 2), (4, 4), (5, 1)]


def some_images(count: int, chance: random.Random) -> list[Image]:
    """Give images of which most are near some others, in chains too; every tenth has no hash."""
    values = [chance.getrandbits(HASH_BITS)]
    while len(values) < count:
        near = chance.choice(values)
        for bit in chance.sample(range(HASH_BITS), chance.choice([0, 1, 3, 6, 9, 12, 30])):
            near ^= 1 << bit
        values.append(near)
    return [an_image(number, None if number % 10 == 9 else value, chance) for number, value in enumerate(values)]


def an_image(number: int, value: int | None, chance: random.Random) -> Image:
    md5 = hashlib.md5(str(number).encode()).hexdigest()
    digits = None if value is None else f"{value:016x}"
    width, height = chance.choice(SIZES)
    length_bytes = chance.randint(1, 3)
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    return Image(md5, "https://h/", width, height, length_bytes, 4, "JPEG", "RGB", 1, digits, noon)


def chosen_of(images: list[Image], distance: int, folder: Path) -> dict[str, Chosen]:
    with choosing(Directory(folder), "s") as choice:
        choice.add(images, [])
        leave_out(choice, distance, lambda _count: None)
    with snapshot(Directory(folder), "s") as frozen:
        return {chosen.image.md5: chosen for chosen in frozen.all_images()}


def by_comparing_all(images: list[Image], distance: int) -> dict[str, str]:
    """Give for each image that is left out the one it is left out for."""
    kept: list[Image] = []
    left_out: dict[str, str] = {}
    for image in sorted(images, key=lambda image: (-image.width * image.height, -image.length_bytes, image.md5)):
        if image.perceptual_hash is None:
            continue
        value = int(image.perceptual_hash, 16)
        distances = [(value ^ int(other.perceptual_hash or "", 16)).bit_count() for other in kept]
        if distances and min(distances) <= distance:
            left_out[image.md5] = kept[distances.index(min(distances))].md5
        else:
            kept.append(image)
    return left_out


@pytest.mark.parametrize("distance", range(MOST_DISTANCE + 1))
def test_each_is_left_out_for_the_nearest_of_those_kept_before(distance: int, tmp_path: Path) -> None:
    images = some_images(300, random.Random(f"{SEED} {distance}"))
    found = chosen_of(images, distance, tmp_path)
    left_out = {md5: chosen.near_duplicate_of for md5, chosen in found.items() if chosen.near_duplicate_of}
    assert left_out == by_comparing_all(images, distance)
    assert len(left_out) > 20
    kept = [chosen.rank for md5, chosen in sorted(found.items()) if md5 not in left_out]
    assert kept == list(range(len(images) - len(left_out)))


def test_the_order_in_which_they_were_found_makes_no_difference(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    images = some_images(300, chance)
    found = chosen_of(images, 8, tmp_path)
    chance.shuffle(images)
    assert chosen_of(images, 8, tmp_path) == found


def test_the_largest_is_kept_and_an_image_without_a_hash_always(tmp_path: Path) -> None:
    def image(number: int, width: int, digits: str | None) -> Image:
        md5, noon = f"{number:032x}", datetime(2026, 1, 1, 12, tzinfo=UTC)
        return Image(md5, "https://h/", width, 100, 3, 4, "JPEG", "RGB", 1, digits, noon)

    images = [image(1, 50, "0" * 16), image(2, 200, f"{7:016x}"), image(3, 50, None), image(4, 50, None)]
    found = chosen_of(images, 3, tmp_path)
    assert [chosen.near_duplicate_of for chosen in found.values()] == [images[1].md5, None, None, None]
