"""All that the monitoring page tells of a span."""

from dataclasses import dataclass
from datetime import datetime

from common.database import Database
from services.api.queries.depths import Depths, depths
from services.api.queries.failing import FailingHost, failing_hosts
from services.api.queries.latencies import StageLatency, latencies
from services.api.queries.scope import Scope
from services.api.queries.span import Span
from services.api.queries.timeline import Timeline, timeline
from services.api.throughput import Throughput, throughput

MOST_HOSTS = 10


@dataclass(frozen=True, slots=True)
class Report:
    """The histogram and what stands beside it. A host's report names no failing hosts; queues are everybody's."""

    scope: Scope
    timeline: Timeline
    throughput: Throughput
    latencies: tuple[StageLatency, ...]
    depths: Depths
    failing_hosts: tuple[FailingHost, ...]


def report(database: Database, span: Span, scope: Scope, now: datetime) -> Report:
    """Gather it."""
    counted = timeline(database, span, scope, now)
    return Report(
        scope,
        counted,
        throughput(counted, now),
        latencies(database, span, scope),
        depths(database, span),
        failing_hosts(database, span, scope, MOST_HOSTS) if scope.host is None else (),
    )
