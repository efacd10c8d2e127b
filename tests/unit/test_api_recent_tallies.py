"""Lists stay quick though counting a large task is slow, and hardly ever show an old figure."""

from uuid import UUID

from common.tally import Tally
from services.api.queries.recent_tallies import KEPT, RecentTallies

TASK = UUID(int=1)


class SlowCounting:
    """Takes `seconds` on its own clock for a tally, and gives another one each time."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.time = 1_000.0
        self.times = 0

    def __call__(self, task_id: UUID) -> Tally:
        self.time += self.seconds
        self.times += 1
        return Tally(success=self.times)

    def clock(self) -> float:
        return self.time


def test_what_took_a_second_is_used_again_for_ten():
    counting = SlowCounting(1.0)
    tallies = RecentTallies(counting, counting.clock)
    assert tallies(TASK).success == 1
    counting.time += 9.9
    assert tallies(TASK).success == 1
    counting.time += 0.2
    assert tallies(TASK).success == 2


def test_what_took_little_time_is_counted_anew():
    counting = SlowCounting(0.04)
    tallies = RecentTallies(counting, counting.clock)
    assert [tallies(TASK).success for _ in range(3)] == [1, 2, 3]


def test_memory_is_bounded():
    counting = SlowCounting(0.1)
    tallies = RecentTallies(counting, counting.clock)
    for number in range(KEPT + 1):
        tallies(UUID(int=number))
    tallies(UUID(int=0))
    assert counting.times == KEPT + 2, "the first was forgotten"
