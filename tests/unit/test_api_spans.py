"""Spans are cut into bars that lie where clocks have them, never more than a chart can show."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as some

from services.api.queries.span import BAR_MINUTES, EPOCH, MINUTE, MOST_BARS, MOST_MINUTES, Span

MOMENTS = some.datetimes(datetime(1971, 1, 1), datetime(2999, 1, 1), timezones=some.just(UTC))  # noqa: DTZ001
MINUTES = some.integers(0, MOST_MINUTES)


def is_cut_well(span: Span) -> bool:
    edges = ((span.start - EPOCH) % span.bar, (span.end - EPOCH) % span.bar)
    return edges == (timedelta(0), timedelta(0)) and 1 <= span.bars <= MOST_BARS and span.bar_minutes in BAR_MINUTES


@given(MOMENTS, MINUTES)
def test_bars_that_touch_a_span_cover_it_and_no_more(start: datetime, minutes: int) -> None:
    end = start + timedelta(minutes=minutes)
    span = Span.touching(start, end)
    assert is_cut_well(span)
    assert span.start <= start < span.start + span.bar
    assert span.end - span.bar < max(end, span.start + timedelta(microseconds=1)) <= span.end


@given(MOMENTS, some.integers(1, MOST_MINUTES))
def test_the_latest_minutes_end_with_the_bar_that_now_is_in(now: datetime, minutes: int) -> None:
    span = Span.latest(minutes, now)
    assert is_cut_well(span)
    assert span.end - span.bar <= now < span.end
    assert 0 <= span.minutes - minutes < span.bar_minutes


def test_bars_grow_with_the_span() -> None:
    widths = [Span.latest(days * 1_440, EPOCH).bar_minutes for days in (1, 2, 3, 5, 10, 15, 30)]
    assert widths == [1, 2, 3, 5, 10, 15, 30]


def test_every_bar_starts_where_the_one_before_it_ends() -> None:
    span = Span(EPOCH, EPOCH + 60 * MINUTE, 15)
    assert list(span.starts()) == [EPOCH + number * 15 * MINUTE for number in range(4)]
