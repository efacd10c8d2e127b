"""Counts that are kept equal the ledger, whatever happens to it after they were counted, or while."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from common.ledger import Ledger
from common.reasons import Reason
from common.reopening import SETTLING, reopenings
from services.api.queries.hours import MUCH, Hour, check, hours, keep
from services.api.queries.scope import Scope
from services.api.queries.span import Span
from services.api.queries.timeline import timeline
from tests.api_world import NOON
from tests.generated_history import HOUR, MINUTE, generate, ledger

LATER = NOON + 24 * HOUR


def counted(database, now, span=None, scope=None):
    """Give what the histogram shows at a moment."""
    found = timeline(database, span or Span(NOON, NOON + 2 * HOUR), scope or Scope(), now)
    starts = list(found.span.starts())
    series = {**found.outcomes, **found.reasons}
    return +Counter({(starts[bar], end): count for end, counts in series.items() for bar, count in enumerate(counts)})


def test_a_retry_takes_the_errors_out_of_the_minutes_that_were_kept(world):
    task_id = generate(world, MUCH)
    assert counted(world.database, LATER) == ledger(world)
    again = [item for batch in Ledger(world.database).reopen(task_id, [Reason.TIMEOUT]) for item in batch]
    assert len(again) > 1_000
    now = datetime.now(UTC)
    for moment in (now, now + 2 * SETTLING, now + 2 * SETTLING):  # not kept at first, then kept, then read back
        found = counted(world.database, moment)
        assert found == ledger(world)
        assert not any(end == Reason.TIMEOUT for _, end in found)


def test_a_count_that_began_before_a_retry_is_not_used_after_it(world):
    """It is written as if its process had stood still for an hour."""
    task_id = generate(world, MUCH)
    before = reopenings(world.database, NOON, NOON + 2 * HOUR)
    stale = hours(world.database, Scope(), NOON, NOON + 2 * HOUR, LATER)
    for _ in Ledger(world.database).reopen(task_id, [Reason.TIMEOUT]):
        pass
    keep(world.database, Scope(), stale, before, datetime.now(UTC) + HOUR)
    assert counted(world.database, datetime.now(UTC) + HOUR) == ledger(world)


def test_a_count_that_began_while_a_retry_was_under_way_is_not_kept(world):
    """A publisher marks the hours and is killed, or goes on, only afterwards."""
    task_id = generate(world, MUCH)
    reopening = Ledger(world.database).reopen(task_id, [Reason.TIMEOUT])
    next(reopening)
    now = datetime.now(UTC)
    counted(world.database, now)
    assert world.database["hours"].count_documents({}) == 0
    for _ in reopening:
        pass
    assert counted(world.database, now) == ledger(world)


def test_minutes_that_may_still_change_are_not_kept(world):
    generate(world, MUCH)
    now = NOON + HOUR + 30 * MINUTE + timedelta(seconds=20)
    counted(world.database, now)
    kept = {document["_id"]["hour"]: document["minutes"] for document in world.database["hours"].find()}
    assert kept == {NOON: 60, NOON + HOUR: 29}
    world.settled_task({"success": 7}, start=NOON + HOUR + 29 * MINUTE)
    assert counted(world.database, now) == counted(world.database, LATER) == ledger(world)


def test_what_a_worker_that_stood_still_wrote_late_is_found_by_the_second_count(world):
    generate(world, MUCH)
    soon, later = NOON + HOUR + 2 * SETTLING, NOON + 4 * HOUR
    counted(world.database, soon)
    world.settled_task({"success": 7})
    assert counted(world.database, soon) != ledger(world)
    check(world.database, soon)
    assert counted(world.database, soon) != ledger(world)
    check(world.database, later)
    assert counted(world.database, soon) == ledger(world)
    assert world.database["hours"].count_documents({"checked": False}) == 0


def test_an_hour_is_kept_as_it_was_counted(world):
    changes = reopenings(world.database, NOON, NOON + HOUR)
    hour = Hour(NOON, 60, {"success": list(range(60)), "dns": [2**31] * 60})
    keep(world.database, Scope(), [hour], changes, LATER)
    assert hours(world.database, Scope(), NOON, NOON + HOUR, LATER) == [hour]
