"""The span of time that a request asks for."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from services.api.inputs import InvalidInput, Query
from services.api.queries.span import MINUTE, MOST_BARS, MOST_MINUTES, Span
from services.api.values import DIGITS, Absent, Instant

LEAST_MINUTES = 15


class SpanQuery(Query):
    """Which time: the last minutes, or those that `from` to `to` touches."""

    minutes: Annotated[
        int,
        Field(
            ge=LEAST_MINUTES,
            le=MOST_MINUTES,
            description="How many; they reach up to now, or from `from`, or to `to`. "
            f"Of more than {MOST_BARS:,}, several are counted together.",
        ),
        DIGITS,
    ] = 60
    from_: Annotated[
        Instant | Absent, Field(alias="from", description="The first minute is the one that it lies in.")
    ] = None
    to: Annotated[
        Instant | Absent,
        Field(description=f"The last minute is the one before it; at most {MOST_MINUTES:,} minutes after `from`."),
    ] = None

    @property
    def reaches_now(self) -> bool:
        """Tell whether the span moves on with time."""
        return self.from_ is None and self.to is None

    def span(self, now: datetime) -> Span:
        """Give the span asked for. Raises InvalidInput."""
        start, end = self.from_, self.to
        if start is None and end is None:
            return Span.latest(self.minutes, now)
        if start is None:
            assert end is not None  # noqa: S101 - for the type checker
            start = end - self.minutes * MINUTE
        elif end is None:
            end = start + self.minutes * MINUTE
        if start > end:
            raise InvalidInput("from must not be later than to.")
        if end - start > MOST_MINUTES * MINUTE:
            raise InvalidInput(f"from and to must be at most {MOST_MINUTES:,} minutes apart.")
        return Span.touching(start, end)
