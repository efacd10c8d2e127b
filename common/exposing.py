"""A worker's metrics over HTTP: those of `common.metrics`, and the worker's own state, read when somebody asks."""

import logging
import socket
import threading
from collections.abc import Iterator
from socketserver import ThreadingTCPServer
from typing import Any

from prometheus_client import REGISTRY, MetricsHandler, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from common.errors import ConfigurationError
from common.metrics import DEAD_LETTERED, POSTPONED, RETRIES, UNAVAILABLE, WAITED, WORKED
from common.settings import Settings
from common.worker import Worker

log = logging.getLogger(__name__)

CLIENT_SECONDS = 5.0


class WorkerState(Collector):
    """What a worker knows of itself."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def collect(self) -> Iterator[Metric]:
        """Give the state of now."""
        worker, load = self._worker, self._worker.load
        yield GaugeMetricFamily("graymill_broker_connected", "1 while the broker gives messages.", worker.is_connected)
        yield GaugeMetricFamily("graymill_broker_blocked", "1 while the broker takes none (alarm).", worker.is_blocked)
        yield CounterMetricFamily(
            "graymill_reconnects", "Connections to the broker after the first one.", worker.reconnects
        )
        yield CounterMetricFamily(
            "graymill_refusals", "Publishes that a full queue refused; each is tried again.", worker.refusals
        )
        yield GaugeMetricFamily(
            "graymill_in_flight_deliveries", "Deliveries that are held and not acked.", load.delivered - load.settled
        )
        yield GaugeMetricFamily(
            "graymill_in_flight_bytes", "Bytes of bodies that are worked on or wait for their confirms.", load.bytes
        )


class _Handler(MetricsHandler):
    timeout = CLIENT_SECONDS


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, family: int, address: Any) -> None:
        self.address_family = family
        super().__init__(address, _Handler)


def expose(worker: Worker, settings: Settings) -> None:
    """Serve the process's metrics from now on, where they are wanted. Raises ConfigurationError if that cannot be."""
    if not settings.metrics_port:
        return
    for queue in worker.queues:
        WAITED.note(queue, ())
        WORKED.note(queue, ())
        for counter in (RETRIES, POSTPONED, DEAD_LETTERED, UNAVAILABLE):
            counter.labels(queue)
    disable_created_metrics()  # type: ignore[no-untyped-call]
    REGISTRY.register(WorkerState(worker))
    server = _listen(settings.metrics_host, settings.metrics_port)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    log.info("metrics on http://%s:%d/metrics", settings.metrics_host, settings.metrics_port)


def _listen(host: str, port: int) -> _Server:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return _Server(family, address)
    except OSError as error:
        raise ConfigurationError(f"METRICS_HOST, METRICS_PORT: cannot listen there: {error}") from error
