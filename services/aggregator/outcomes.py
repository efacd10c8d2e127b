"""What is told of outcomes once they are written: a line of the log each, and counts for Prometheus."""

import logging
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import prometheus_client

from common.database import Document
from common.durations import Durations
from common.items import Item, Outcome
from common.logs import about
from common.reasons import Reason
from services.aggregator.documents import log_line

log = logging.getLogger(__name__)

OUTCOMES = prometheus_client.Counter(
    "graymill_outcomes", "Outcomes that were written; errors by their reason.", ["outcome", "reason"]
)
ITEM = Durations("graymill_item_seconds", "From an item being handed in, or tried again, to its outcome.", "outcome")
ENDS = (Outcome.SUCCESS, Outcome.DUPLICATE, Outcome.ERROR)


def begin_at_zero() -> None:
    """Have every count there before the first outcome, so that its increase is seen."""
    for outcome in ENDS:
        ITEM.note(outcome.value, ())
        for reason in Reason if outcome is Outcome.ERROR else [""]:
            OUTCOMES.labels(outcome.value, str(reason))


def tell(ends: Iterable[tuple[Item, UUID | None, Document]], now: datetime) -> None:
    """Log and count outcomes: an item, its download's message id where an image came of it, and what its end set."""
    ended_ms = int(now.timestamp() * 1000)
    counts: Counter[tuple[str, str]] = Counter()
    durations_ms: dict[str, list[int]] = {}
    for item, message_id, end in ends:
        outcome, reason = end["outcome"], end.get("reason", "")
        log.info(log_line(item, end), extra=about(item, message_id, outcome=outcome, reason=reason))
        counts[outcome, reason] += 1
        if item.steps:
            durations_ms.setdefault(outcome, []).append(max(0, ended_ms - item.steps[0]))
    for labels, count in counts.items():
        OUTCOMES.labels(*labels).inc(count)
    for outcome, durations in durations_ms.items():
        ITEM.note(outcome, durations)
