"""A histogram for what happens with every message: noted in a batch, at a fifth of what the library's costs."""

import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import accumulate

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

BOUNDS_SECONDS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0, 10_000.0)
_BOUNDS_MS = tuple(round(1000 * bound) for bound in BOUNDS_SECONDS)


class Durations(Collector):
    """Durations by one label, whose values must be few. May be used from any thread."""

    def __init__(self, name: str, meaning: str, label: str, registry: CollectorRegistry = REGISTRY) -> None:
        self._name = name
        self._meaning = meaning
        self._label = label
        self._counts: dict[str, list[int]] = {}
        self._sums_ms: dict[str, int] = {}
        self._lock = threading.Lock()
        registry.register(self)

    def note(self, value: str, durations_ms: Iterable[int]) -> None:
        """Count durations in milliseconds under a value of the label; without any the value begins at zero."""
        with self._lock:
            counts = self._counts.get(value)
            if counts is None:
                counts = self._counts[value] = [0] * (len(_BOUNDS_MS) + 1)
                self._sums_ms[value] = 0
            sum_ms = 0
            for duration_ms in durations_ms:
                counts[bisect_left(_BOUNDS_MS, duration_ms)] += 1
                sum_ms += duration_ms
            self._sums_ms[value] += sum_ms

    def describe(self) -> Iterator[HistogramMetricFamily]:
        """Name the histogram."""
        yield HistogramMetricFamily(self._name, self._meaning, labels=[self._label])

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Give the histogram as it is."""
        (family,) = self.describe()
        with self._lock:
            counted = {value: list(accumulate(counts)) for value, counts in self._counts.items()}
            sums_ms = dict(self._sums_ms)
        bounds = [*map(str, BOUNDS_SECONDS), "+Inf"]
        for value, counts in counted.items():
            family.add_metric([value], buckets=list(zip(bounds, counts, strict=True)), sum_value=sums_ms[value] / 1000)
        yield family
