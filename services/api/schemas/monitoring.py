"""The histogram's figures and what stands beside it, and whether the services answer, as JSON."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from common.reasons import Reason
from services.api.describing import Answer
from services.api.queries.depths import Depths, QueueDepths
from services.api.queries.failing import LATEST_ERRORS, FailingHost
from services.api.queries.latencies import LATEST_ITEMS, Latency, StageLatency
from services.api.queries.timeline import Timeline
from services.api.report import Report
from services.api.schemas.members import Count, Moment
from services.api.throughput import Throughput

Rate = Annotated[float, Field(ge=0, examples=[12.5])]
Seconds = Annotated[float, Field(ge=0, examples=[0.25])]


class CountsAnswer(Answer):
    """Items that ended."""

    success: Count
    duplicate: Count
    error: Count
    reasons: Annotated[
        dict[str, int], Field(description="The errors by reason, where there are any.", examples=[{"timeout": 3}])
    ]


class BinAnswer(CountsAnswer):
    """The items that ended in the bar that starts then."""

    start: Moment


class ThroughputAnswer(Answer):
    """Items per second."""

    latest: Annotated[Rate | None, Field(description="In the latest bar that is over.")]
    busiest: Annotated[Rate, Field(description="In the busiest bar.")]
    mean: Annotated[Rate, Field(description="Over the span, as far as it has passed.")]

    @classmethod
    def of(cls, rates: Throughput) -> "ThroughputAnswer":
        """Write rates."""
        return cls(latest=rates.latest, busiest=rates.busiest, mean=rates.mean)


class LatencyAnswer(Answer):
    """What half, 95 and 99 of a hundred took at most."""

    p50_seconds: Seconds
    p95_seconds: Seconds
    p99_seconds: Seconds

    @classmethod
    def of(cls, latency: Latency) -> "LatencyAnswer":
        """Write a latency."""
        return cls(p50_seconds=latency.p50_seconds, p95_seconds=latency.p95_seconds, p99_seconds=latency.p99_seconds)


class StageLatencyAnswer(Answer):
    """How long the latest items waited for a stage, and were worked on there."""

    stage: Annotated[str, Field(description="fetch, decode, join; or whole.", examples=["fetch"])]
    items: Annotated[int, Field(ge=1, description="Of how many items.", examples=[1_000])]
    waiting: LatencyAnswer | None
    working: LatencyAnswer

    @classmethod
    def of(cls, latency: StageLatency) -> "StageLatencyAnswer":
        """Write a stage's latencies."""
        return cls(
            stage=latency.stage,
            items=latency.working.items,
            waiting=LatencyAnswer.of(latency.waiting) if latency.waiting else None,
            working=LatencyAnswer.of(latency.working),
        )


class QueueAnswer(Answer):
    """A queue over the span."""

    queue: Annotated[str, Field(examples=["fetcher"])]
    messages: Annotated[Count, Field(description="Waiting when it was last looked at.")]
    consumers: Annotated[Count, Field(description="There were then.")]
    noted_at: Moment
    most: Annotated[
        list[int | None],
        Field(description="The most messages in each step; null where nobody looked.", examples=[[0, 7, None]]),
    ]

    @classmethod
    def of(cls, queue: QueueDepths) -> "QueueAnswer":
        """Write a queue."""
        return cls(
            queue=queue.queue,
            messages=queue.now,
            consumers=queue.consumers,
            noted_at=queue.noted_at,
            most=list(queue.most),
        )


class QueuesAnswer(Answer):
    """All queues, in steps from `from` on."""

    from_: Annotated[Moment, Field(alias="from")]
    step_seconds: Annotated[int, Field(examples=[60])]
    queues: list[QueueAnswer]

    @classmethod
    def of(cls, depths: Depths) -> "QueuesAnswer":
        """Write depths."""
        queues = [QueueAnswer.of(queue) for queue in depths.queues]
        return cls(**{"from": depths.start}, step_seconds=depths.step_seconds, queues=queues)


class FailingHostAnswer(Answer):
    """A host with errors."""

    host: Annotated[str, Field(examples=["images.example.com"])]
    errors: Count
    reason: Annotated[Reason, Field(description="The most frequent.", examples=[Reason.TIMEOUT])]

    @classmethod
    def of(cls, host: FailingHost) -> "FailingHostAnswer":
        """Write a host."""
        return cls(host=host.host, errors=host.errors, reason=host.reason)


class MonitoringAnswer(Answer):
    """Every bar of a span, the empty ones too, and what stands beside them."""

    from_: Annotated[Moment, Field(alias="from", description="Where the first bar starts.")]
    to: Annotated[Moment, Field(description="Where the last bar ends.")]
    bin_seconds: Annotated[int, Field(description="How long each bar is.", examples=[60])]
    task: Annotated[UUID | None, Field(description="Whose items these are; null: of all tasks.", examples=[None])]
    host: Annotated[str | None, Field(description="Whose items these are; null: of all hosts.", examples=[None])]
    bins: list[BinAnswer]
    totals: CountsAnswer
    throughput: ThroughputAnswer
    latencies: Annotated[
        list[StageLatencyAnswer], Field(description=f"Of the latest {LATEST_ITEMS:,} items of the span.")
    ]
    queues: QueuesAnswer
    failing_hosts: Annotated[
        list[FailingHostAnswer], Field(description=f"Among the latest {LATEST_ERRORS:,} errors of the span.")
    ]

    @classmethod
    def of(cls, report: Report) -> "MonitoringAnswer":
        """Write a report."""
        timeline = report.timeline
        span = timeline.span
        return cls(
            **{"from": span.start},
            to=span.end,
            bin_seconds=60 * span.bar_minutes,
            task=report.scope.task_id,
            host=report.scope.host,
            bins=_bins(timeline),
            totals=CountsAnswer(**timeline.totals, reasons=_sums(timeline)),
            throughput=ThroughputAnswer.of(report.throughput),
            latencies=[StageLatencyAnswer.of(latency) for latency in report.latencies],
            queues=QueuesAnswer.of(report.depths),
            failing_hosts=[FailingHostAnswer.of(host) for host in report.failing_hosts],
        )


class ReadyAnswer(Answer):
    """Whether the work can be done, and who answers."""

    ready: Annotated[bool, Field(examples=[True])]
    database: Annotated[bool, Field(examples=[True])]
    broker: Annotated[bool, Field(examples=[True])]
    warnings: Annotated[
        list[str],
        Field(description="What a person should look at; it keeps nothing from being done.", examples=[[]]),
    ]


def _bins(timeline: Timeline) -> list[BinAnswer]:
    return [
        BinAnswer(start=start, **_at(timeline.outcomes, bar), reasons=_at(timeline.reasons, bar, positive=True))
        for bar, start in enumerate(timeline.span.starts())
    ]


def _at(series: dict[str, list[int]], bar: int, *, positive: bool = False) -> dict[str, Any]:
    return {name: counts[bar] for name, counts in series.items() if counts[bar] or not positive}


def _sums(timeline: Timeline) -> dict[str, int]:
    return {name: sum(counts) for name, counts in timeline.reasons.items()}
