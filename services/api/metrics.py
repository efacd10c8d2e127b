"""What the API tells Prometheus: its requests, and the state of the whole, which no worker knows."""

import time
from collections.abc import Iterator

from flask import Flask, Response, g, request
from prometheus_client import REGISTRY, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.api.resources import now, resources

REQUESTS = Counter("graymill_http_requests", "Requests that were answered.", ["method", "route", "status"])
SECONDS = Histogram(
    "graymill_http_request_seconds",
    "From a request to its answer, without the sending of it.",
    ["method", "route"],
    buckets=(0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0),
)
METHODS = ("GET", "HEAD", "POST", "DELETE")
OTHER = "other"
"""For what strangers make up: methods, and paths that lead nowhere."""


class State(Collector):
    """The queues, the pending items and the dead letters, as of a moment ago. Within a request."""

    def collect(self) -> Iterator[Metric]:
        """Give what is known; of a server that does not answer, nothing but that."""
        figures = resources().recent_figures()
        states = resources().recent_states() if resources().publisher.ready else None
        yield GaugeMetricFamily("graymill_database_up", "1 while the database answers.", figures is not None)
        yield GaugeMetricFamily("graymill_broker_up", "1 while the broker takes messages.", resources().publisher.ready)
        messages = GaugeMetricFamily("graymill_queue_messages", "Messages waiting in a queue.", labels=["queue"])
        consumers = GaugeMetricFamily("graymill_queue_consumers", "Workers that take from it.", labels=["queue"])
        for queue, state in (states or {}).items():
            messages.add_metric([queue], state.messages)
            consumers.add_metric([queue], state.consumers)
        yield from (messages, consumers)
        if figures is None:
            return
        yield GaugeMetricFamily("graymill_dead_letters", "Dead letters that are kept.", figures.dead_letters)
        yield GaugeMetricFamily("graymill_pending_tasks", "Tasks with pending items.", figures.pending.tasks)
        since = figures.pending.since
        yield GaugeMetricFamily(
            "graymill_pending_age_seconds",
            "How long a task with pending items has seen no outcome, the longest of them; 0 without any.",
            0.0 if since is None else max(0.0, (now() - since).total_seconds()),
        )
        yield GaugeMetricFamily(
            "graymill_standstill_tasks", "Tasks whose messages are gone; 100 at most.", figures.standstill_tasks
        )
        yield GaugeMetricFamily("graymill_paused_hosts", "Hosts that are left alone for a while.", figures.paused_hosts)
        if figures.last_outcome_at is not None:
            yield GaugeMetricFamily(
                "graymill_last_outcome_timestamp_seconds",
                "When an item ended last, in seconds since 1970.",
                figures.last_outcome_at.timestamp(),
            )


class _Everything(Collector):
    def collect(self) -> Iterator[Metric]:
        yield from REGISTRY.collect()
        yield from State().collect()


def register(app: Flask) -> None:
    """Count all requests, those that are refused included: before anything else looks at them."""
    disable_created_metrics()  # type: ignore[no-untyped-call]
    app.before_request(_begin)
    app.after_request(_note)


def text() -> bytes:
    """Write everything in the text format of Prometheus."""
    return generate_latest(_Everything())


def _begin() -> None:
    g.began = time.perf_counter()


def _note(response: Response) -> Response:
    method = request.method if request.method in METHODS else OTHER
    route = request.url_rule.rule if request.url_rule is not None else OTHER
    REQUESTS.labels(method, route, str(response.status_code)).inc()
    SECONDS.labels(method, route).observe(time.perf_counter() - g.began)
    return response
