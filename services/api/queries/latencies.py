"""How long items waited for each stage, and how long each stage worked on them."""

from collections.abc import Sequence
from dataclasses import dataclass

from common.database import Database, unavailability
from services.api.queries.scope import Scope
from services.api.queries.span import Span

LATEST_ITEMS = 1_000
STAGES = (("fetch", "decode", "join"), ("fetch", "join"))
"""The stages of an item that was decoded, and of one that was not."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds that half, 95 and 99 of a hundred of so many items took at most."""

    items: int
    p50_seconds: float
    p95_seconds: float
    p99_seconds: float


@dataclass(frozen=True, slots=True)
class StageLatency:
    """A stage: "fetch" (a page, too), "decode" (into gray), "join" (the outcome); or "whole", from being handed in."""

    stage: str
    waiting: Latency | None
    working: Latency


def latencies(database: Database, span: Span, scope: Scope) -> tuple[StageLatency, ...]:
    """Give the latencies of the latest items of the span; nothing when none of them was timed."""
    with unavailability():
        found = database["items"].find(scope.ended(span.start, span.end), {"_id": 0, "took_ms": 1})
        latest = found.sort([("finished_at", -1), ("_id", -1)]).limit(LATEST_ITEMS).hint(scope.index)
        timed: list[list[int]] = [document["took_ms"] for document in latest if "took_ms" in document]
    waited: dict[str, list[int]] = {}
    worked: dict[str, list[int]] = {}
    for took_ms in timed:
        for stages in STAGES:
            if len(took_ms) == 2 * len(stages):
                for index, stage in enumerate(stages):
                    waited.setdefault(stage, []).append(took_ms[2 * index])
                    worked.setdefault(stage, []).append(took_ms[2 * index + 1])
                worked.setdefault("whole", []).append(sum(took_ms))
    order = [stage for stage in (*STAGES[0], "whole") if stage in worked]
    return tuple(
        StageLatency(stage, _latency(waited[stage]) if stage in waited else None, _latency(worked[stage]))
        for stage in order
    )


def _latency(durations_ms: Sequence[int]) -> Latency:
    """Give the percentiles by nearest rank."""
    ordered = sorted(durations_ms)
    p50, p95, p99 = (ordered[-(-len(ordered) * percent // 100) - 1] / 1000 for percent in (50, 95, 99))
    return Latency(len(ordered), p50, p95, p99)
