"""Identities: the same everywhere and every time, and different where it matters."""

from itertools import pairwise
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as some

from common.items import Item, download_id, item_id, item_id_range

LINES = some.integers(min_value=1, max_value=2**40 - 1)


@given(some.uuids(), LINES)
def test_an_items_id_is_the_same_every_time(task_id: UUID, line: int) -> None:
    assert item_id(task_id, line) == item_id(UUID(str(task_id)), line)


@given(some.uuids(), LINES, LINES)
def test_items_sort_in_the_order_of_their_lines(task_id: UUID, line: int, other: int) -> None:
    assert (item_id(task_id, line) < item_id(task_id, other)) == (line < other)
    assert (item_id(task_id, line) == item_id(task_id, other)) == (line == other)


@given(some.uuids(), LINES)
def test_every_item_lies_in_its_tasks_range(task_id: UUID, line: int) -> None:
    first, last = item_id_range(task_id)
    assert first < item_id(task_id, line) <= last


def test_items_of_two_tasks_never_share_a_range() -> None:
    ranges = sorted(item_id_range(uuid4()) for _ in range(1_000))
    assert all(last < first for (_, last), (first, _) in pairwise(ranges))


@given(some.uuids(), some.binary(max_size=64), some.binary(max_size=64))
def test_a_downloads_id_tells_other_bytes_apart(task_id: UUID, body: bytes, other: bytes) -> None:
    item = Item(task_id, item_id(task_id, 1), "https://images.example/1")
    assert (download_id(item, body) == download_id(item, other)) == (body == other)


def test_a_downloads_id_tells_items_and_rounds_apart() -> None:
    task_id = uuid4()
    items = [Item(task_id, item_id(task_id, line), "https://images.example/1", at) for line in (1, 2) for at in (0, 1)]
    assert len({download_id(item, b"same bytes") for item in items}) == 4


def test_a_url_is_no_part_of_an_identity() -> None:
    task_id = uuid4()
    one, other = (Item(task_id, item_id(task_id, 1), url) for url in ("https://a.example/", "https://b.example/"))
    assert download_id(one, b"bytes") == download_id(other, b"bytes")
