"""Spans of time and the bars they are cut into: whole minutes, in UTC."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
MOST_BARS = 1_440
MOST_MINUTES = 30 * 1_440
BAR_MINUTES = (1, 2, 3, 5, 10, 15, 30, 60)
"""How many minutes a bar may stand for; each divides an hour."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """The time from `start` up to, but without, `end`: so many bars of `bar_minutes`, which both are multiples of."""

    start: datetime
    end: datetime
    bar_minutes: int = 1

    @property
    def minutes(self) -> int:
        """Count the minutes."""
        return (self.end - self.start) // MINUTE

    @property
    def bars(self) -> int:
        """Count the bars."""
        return self.minutes // self.bar_minutes

    @property
    def bar(self) -> timedelta:
        """Give how long a bar is."""
        return self.bar_minutes * MINUTE

    def starts(self) -> Iterator[datetime]:
        """Give when each bar starts."""
        return (self.start + index * self.bar for index in range(self.bars))

    @classmethod
    def touching(cls, start: datetime, end: datetime) -> "Span":
        """Give the bars that lie at least partly between the two, at least one, in the least width that is enough."""
        for bar_minutes in BAR_MINUTES:
            bar = bar_minutes * MINUTE
            first, last = floor(start, bar), max(floor(end - timedelta(microseconds=1), bar), floor(start, bar))
            span = cls(first, last + bar, bar_minutes)
            if span.bars <= MOST_BARS:
                return span
        raise ValueError(f"{start} to {end} are more than {MOST_MINUTES:,} minutes")

    @classmethod
    def latest(cls, minutes: int, now: datetime) -> "Span":
        """Give so many minutes, the bar that `now` is in being the last."""
        bar_minutes = next(width for width in BAR_MINUTES if minutes <= width * MOST_BARS)
        bar = bar_minutes * MINUTE
        end = floor(now, bar) + bar
        return cls(end - -(-minutes // bar_minutes) * bar, end, bar_minutes)


def floor(instant: datetime, width: timedelta) -> datetime:
    """Give the greatest multiple of the width, counted from 1970, that is not after the instant."""
    return instant - (instant - EPOCH) % width
