"""The gate that keeps a worker's memory bounded."""

import threading
from collections.abc import Callable

import pytest

from common.load import Load

DEADLINE_SECONDS = 10


class Passer:
    """A thread that wants through the gate; `has_passed` tells whether it is through."""

    def __init__(self, load: Load) -> None:
        self._passed = threading.Event()
        self._thread = threading.Thread(target=self._pass, args=[load], daemon=True)
        self._thread.start()

    def _pass(self, load: Load) -> None:
        load.wait()
        self._passed.set()

    def passes(self) -> bool:
        return self._passed.wait(DEADLINE_SECONDS)

    def is_held_back(self) -> bool:
        return not self._passed.wait(0.05)


def test_nobody_waits_at_first() -> None:
    assert Passer(Load(100)).passes()


def test_who_would_take_more_than_the_limit_waits_until_less_is_held() -> None:
    load = Load(100)
    load.change(100)
    passer = Passer(load)
    assert passer.is_held_back()
    load.change(-1)
    assert passer.passes()


def test_below_the_limit_one_more_is_taken_however_large_it_may_be() -> None:
    load = Load(100)
    load.change(99)
    assert Passer(load).passes()


def test_while_shut_nobody_passes() -> None:
    load = Load(100)
    load.shut(shut=True)
    passer = Passer(load)
    assert passer.is_held_back()
    load.shut(shut=False)
    assert passer.passes()


@pytest.mark.parametrize("hold", [lambda load: load.change(1_000), lambda load: load.shut(shut=True)])
def test_everybody_passes_once_the_connection_is_gone(hold: Callable[[Load], None]) -> None:
    load = Load(100)
    hold(load)
    passers = [Passer(load) for _ in range(3)]
    assert passers[0].is_held_back()
    load.end()
    assert all(passer.passes() for passer in passers)


def test_idle_is_who_has_no_delivery_under_way_whatever_bytes_are_held() -> None:
    load = Load(100)
    assert load.idle
    load.change(10, 2)
    assert not load.idle
    load.change(0, -2)
    assert load.idle
