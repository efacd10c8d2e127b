"""Memory that downloads share."""

import pytest

from common.errors import Unavailable
from common.fetching.room import Room


def test_what_does_not_fit_waits_and_is_not_held_against_the_item() -> None:
    room = Room(100)
    with room.taken(60, timeout_seconds=1), pytest.raises(Unavailable), room.taken(60, timeout_seconds=0.01):
        pytest.fail("there was no room")
    with room.taken(60, timeout_seconds=0):
        pass


def test_more_than_there_is_takes_all_of_it() -> None:
    room = Room(100)
    with room.taken(1_000, timeout_seconds=0), pytest.raises(Unavailable), room.taken(1, timeout_seconds=0.01):
        pytest.fail("there was no room")
