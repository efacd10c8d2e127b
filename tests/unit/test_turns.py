"""Who is handed out when, with a clock that only the test moves."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

from common.turns import LONGEST_AWAY_SECONDS, Turns


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class World:
    """Turns and the threads that take them; an entry is named by its key."""

    def __init__(self, threads: int = 32, most: int = 16, most_waiting: int = 32) -> None:
        self.clock = Clock()
        self.turns: Turns[str] = Turns(threads, most, most_waiting, clock=self.clock)
        self.working: list[tuple[str, float]] = []
        self.admitted = 0

    def put(self, key: str, count: int = 1) -> list[float]:
        """Put entries in; gives the seconds that those were told who were not let in."""
        answers = [self.turns.put(key, key) for _ in range(count)]
        away = [seconds for seconds in answers if seconds is not None]
        self.admitted += count - len(away)
        return away

    def take(self) -> None:
        """Have every thread that may begin a turn do so."""
        while not self.turns._ready.empty():
            key, entry = self.turns.get()
            assert entry == key
            self.working.append((key, self.turns.begin(key)))

    def finish(self, key: str, count: int = 1) -> None:
        """End so many turns of a key, and begin those that follow."""
        for _ in range(count):
            turn = next(turn for turn in self.working if turn[0] == key)
            self.working.remove(turn)
            self.turns.done(*turn)
        self.take()

    def at_work(self, key: str) -> int:
        self.take()
        return sum(name == key for name, _began in self.working)

    def make_slow(self, key: str) -> None:
        """Have one turn of the key last for two seconds, and begin more."""
        self.put(key, 2)
        self.take()
        self.clock.now += 2.0
        self.finish(key)


def test_of_one_key_no_more_than_its_most_are_at_work_and_the_rest_follows() -> None:
    world = World()
    assert world.put("one", 40) == []
    assert world.at_work("one") == 16
    world.finish("one", 10)
    assert world.at_work("one") == 16
    world.finish("one", 16)
    assert world.at_work("one") == 14


def test_those_of_other_keys_overtake() -> None:
    world = World()
    world.put("one", 40)
    world.put("two", 3)
    assert (world.at_work("one"), world.at_work("two")) == (16, 3)


def test_two_quick_keys_may_have_all_threads() -> None:
    world = World()
    world.put("one", 20)
    world.put("two", 20)
    assert (world.at_work("one"), world.at_work("two")) == (16, 16)


def test_who_waits_longest_follows_whoever_has_ended() -> None:
    world = World(threads=2, most=2)
    world.put("one", 6)
    world.put("two")
    world.put("three")
    world.take()
    world.finish("one")  # what follows is of the key that began to wait first
    assert (world.at_work("one"), world.at_work("two"), world.at_work("three")) == (2, 0, 0)
    world.finish("one")
    assert (world.at_work("one"), world.at_work("two"), world.at_work("three")) == (1, 1, 0)
    world.finish("one")
    assert (world.at_work("two"), world.at_work("three")) == (1, 1)


def test_slow_keys_never_have_all_threads() -> None:
    world = World()
    for key in ("a", "b", "c", "d", "e"):
        world.make_slow(key)
        world.put(key, 20)
    world.take()
    assert len(world.working) < 32
    world.put("quick")
    assert world.at_work("quick") == 1


def test_a_key_that_may_have_all_threads_has_them() -> None:
    world = World(threads=4, most=8)
    world.make_slow("one")
    world.put("one", 20)
    assert world.at_work("one") == 4


def test_a_single_thread_does_one_after_the_other() -> None:
    world = World(threads=1, most=16)
    world.put("one", 2)
    world.put("two", 1)
    for _ in range(3):
        world.take()
        [(key, _began)] = world.working
        world.finish(key)
    assert world.working == []


def test_of_a_quick_key_nobody_is_sent_away() -> None:
    world = World()
    for _ in range(50):
        assert world.put("one", 20) == []
        world.take()
        world.clock.now += 0.01
        while world.working:
            world.finish("one")
    assert world.turns.overstayed() == []


def test_of_a_slow_key_those_are_sent_away_for_whom_there_is_no_room_each_until_its_turn() -> None:
    world = World()
    world.make_slow("slow")
    away = world.put("slow", 200)
    assert world.at_work("slow") == 16
    assert len(away) == 200 - 15 - 32
    steps = [later - sooner for sooner, later in pairwise(away)]
    assert all(abs(step - 2 / 16) < 1e-6 for step in steps)


def test_nobody_is_sent_away_for_longer_than_a_minute() -> None:
    world = World()
    world.make_slow("slow")
    assert max(world.put("slow", 2_000)) == LONGEST_AWAY_SECONDS


def test_a_few_of_a_slow_key_wait_even_where_others_take_the_room() -> None:
    world = World()
    world.make_slow("slow")
    world.put("slow", 100)
    world.make_slow("slower")
    world.put("slower", 20)
    before = world.at_work("slower")
    world.finish("slower", before)
    assert world.at_work("slower") > 0


def test_those_who_wait_already_are_taken_out_once_their_key_turns_out_to_be_slow() -> None:
    world = World()
    assert world.put("slow", 96) == []
    world.take()
    assert world.turns.is_crowded
    assert world.turns.overstayed() == []
    world.clock.now += 0.5  # no turn has ended, and those who wait would do so for 2.5 s at least
    away = world.turns.overstayed()
    assert len(away) == 96 - 16 - 32
    assert all(entry == "slow" and seconds > 0 for entry, seconds in away)
    assert not world.turns.is_crowded


def test_once_the_slow_have_caught_up_whoever_comes_is_let_in_again() -> None:
    world = World()
    world.make_slow("slow")
    assert world.put("slow", 200) != []
    while world.working:
        world.finish("slow")
    assert world.put("slow", 16) == []


def test_what_was_let_in_comes_out_exactly_once() -> None:
    world = World(threads=8, most=3, most_waiting=5)
    finished = 0
    for number in range(500):
        world.clock.now += 0.3
        world.put(f"key {number % 7 % 4}", 3)
        world.admitted -= len(world.turns.overstayed())
        world.take()
        assert len(world.working) <= 8
        for key, _began in world.working[:2]:
            world.finish(key)
            finished += 1
    while world.working:
        world.finish(world.working[0][0])
        finished += 1
    assert finished == world.admitted
    assert world.turns._lines == {}


def test_a_turn_begins_while_its_key_is_put_behind_the_others() -> None:
    """Which takes it out for a moment; a thread that looked just then would die, and hold its message for ever."""
    is_out, has_begun = threading.Event(), threading.Event()

    class Lines(dict[str, Any]):
        def pop(self, key: str, *_: Any) -> Any:
            line = super().pop(key)
            is_out.set()
            has_begun.wait(0.1)
            return line

    turns: Turns[int] = Turns(2, 2, 10)
    turns._lines = Lines()
    for entry in range(3):
        turns.put("a", entry)
    (key, _first), (also, _second) = turns.get(), turns.get()
    began = turns.begin(key)
    with ThreadPoolExecutor() as pool:
        ending = pool.submit(turns.done, key, began)
        assert is_out.wait(10)
        assert turns.begin(also) >= began
        has_begun.set()
        ending.result(10)
